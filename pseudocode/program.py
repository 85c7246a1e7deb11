"""What a parsed program is: rows in order, expressions in postfix order, so that nothing recurses.

Blocks are not nested here either: their first row, `else` and `end` are rows like the others, and
`pseudocode.flow` says where each leads.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, NamedTuple


class Number(NamedTuple):
    """Put a literal on the stack; `percent` says that it is written as `20%`."""

    value: Fraction
    percent: bool = False


class Text(NamedTuple):
    """Put a text on the stack."""

    value: str


class Name(NamedTuple):
    """Put the value of an earlier line on the stack."""

    name: str


class Apply(NamedTuple):
    """Replace the top `arity` values of the stack by the operation's result on them."""

    operation: str
    arity: int


Instruction = Number | Text | Name | Apply

Kind = Literal[
    "step",
    "return",
    "append",
    "if",
    "else if",
    "else",
    "repeat",
    "while",
    "for each",
    "end",
    "ask",
]


@dataclass(frozen=True, slots=True)
class Line:
    """One row: `name = expression`, the return line, or a row of a block.

    Lines are equal when they mean the same, wherever and however they are written.

    Attributes:
        number: Place in the source, from 1, blank lines included.
        name: What the line gives a value to; `return`, or the row's kind where it has no name.
        code: The expression, in postfix order; empty for `else` and `end`.
        text: The expression as written.
        kind: What the row does.
        unit: What its value is counted in, where a comment says so.
    """

    number: int = field(compare=False)
    name: str
    code: tuple[Instruction, ...]
    text: str = field(compare=False)
    kind: Kind = "step"
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """The rows in order; the last is a return line."""

    lines: tuple[Line, ...]
