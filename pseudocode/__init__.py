"""The pseudocode dialect: one grammar, one parser, one exact interpreter with limits and a trace.

A program is a list of `name = expression` lines and one `return expression`. Nothing here knows
about models, tokens or HTTP.
"""

from pseudocode.errors import ExecutionError, LimitError, ParseError, PseudocodeError
from pseudocode.grammar import grammar_text
from pseudocode.interpreter import Failure, Limits, Result, Step, run
from pseudocode.numbers import format_number
from pseudocode.parser import parse

__all__ = [
    "ExecutionError",
    "Failure",
    "LimitError",
    "Limits",
    "ParseError",
    "PseudocodeError",
    "Result",
    "Step",
    "format_number",
    "grammar_text",
    "parse",
    "run",
]
