"""Kinds of arguments, for command lines that are not read from a model of settings."""

import argparse


def positive(text: str) -> int:
    """Read a whole number above 0.

    Raises:
        argparse.ArgumentTypeError: It is something else.
    """
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no count; expected a whole number above 0")
    return int(text)
