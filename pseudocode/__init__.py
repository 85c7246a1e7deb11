"""The pseudocode dialect: one grammar, one parser, one exact interpreter with limits and a trace.

A program is a list of `name = expression` lines, conditions and loops, and one `return expression`.
Nothing here knows about models, tokens or HTTP.
"""

from pseudocode.errors import ParseError
from pseudocode.grammar import grammar_text
from pseudocode.interpreter import run
from pseudocode.limits import Limits
from pseudocode.numbers import format_number
from pseudocode.parser import parse
from pseudocode.program import Program
from pseudocode.result import Failure, Result, Step

__all__ = [
    "Failure",
    "Limits",
    "ParseError",
    "Program",
    "Result",
    "Step",
    "format_number",
    "grammar_text",
    "parse",
    "run",
]
