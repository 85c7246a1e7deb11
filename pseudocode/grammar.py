"""The text of the one grammar, for whoever parses with it or decodes under it."""

from functools import cache
from importlib.resources import files


@cache
def grammar_text() -> str:
    """Return the dialect's grammar in Lark's notation.

    vLLM takes the same text as the `grammar` of its structured outputs (backend `guidance`).
    """
    return files("pseudocode").joinpath("dialect.lark").read_text(encoding="utf-8")
