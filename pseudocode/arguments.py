"""The arguments of `python -m pseudocode`, with their help."""

import argparse
from typing import get_args

from pseudocode.grammar import LEVELS
from pseudocode.numbers import format_number
from pseudocode.question_numbers import CONSTANTS
from pseudocode.words import Language

DESCRIPTION = (
    "Run programs of the pseudocode dialect exactly, showing every step, check them, or write them "
    "in another form. Exit codes: 0 it has an answer (`check`: and nothing is doubtful) or was "
    "written, 1 not so, 2 wrong usage or a file that cannot be read."
)
EXAMPLE = r"""example:
  printf 'cost = 3 * 4.50\nreturn 20 - cost\n' | python -m pseudocode run -
prints
  line  name    value  expression
     1  cost    13.5   3 * 4.50
     2  return  6.5    20 - cost
  answer: 6.5
"""
_CHECK_EXAMPLE = """example:
  python -m pseudocode check program.txt --question 'What are 3 times 5?'"""


def parser() -> argparse.ArgumentParser:
    """Build the parser of the command line."""
    arguments = argparse.ArgumentParser(
        prog="python -m pseudocode",
        description=DESCRIPTION,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = arguments.add_subparsers(dest="command", required=True, metavar="COMMAND")
    running = _command(commands, "run", "run a program and print its steps and its answer", EXAMPLE)
    checking = _command(
        commands,
        "check",
        "also look for unused steps, numbers from nowhere, unlike units, and answers nothing computes",
        _CHECK_EXAMPLE,
    )
    constants = ", ".join(format_number(value) for value in sorted(CONSTANTS))
    checking.add_argument(
        "--question",
        metavar="TEXT",
        help=f"whose numbers the literals must be; always allowed: {constants}",
    )
    for command in (running, checking):
        command.add_argument("--json", action="store_true", help="print one JSON object")
        command.add_argument(
            "--level", choices=LEVELS, default="task", help="how much of the dialect is allowed"
        )
    formatting = _command(commands, "format", "print the canonical text of a program")
    reading = _command(commands, "from-python", "print the program that a Python text is")
    for command in (formatting, reading):
        command.add_argument(
            "--language", choices=get_args(Language), default="en", help="of the words"
        )
    _command(commands, "to-python", "print a program as a Python function")
    return arguments


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    epilog: str | None = None,
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_argument("file", metavar="FILE", help="a text file, or - for standard input")
    return command
