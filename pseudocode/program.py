"""What a parsed program is: lines of instructions in postfix order, so that nothing recurses."""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple


class Number(NamedTuple):
    """Put a literal on the stack."""

    value: Fraction


class Name(NamedTuple):
    """Put the value of an earlier line on the stack."""

    name: str


class Apply(NamedTuple):
    """Replace the top `arity` values of the stack by the operation's result on them."""

    operation: str
    arity: int


Instruction = Number | Name | Apply


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `name = expression`, or the return line, whose name is `return`.

    Attributes:
        number: Place in the source, from 1, blank lines included.
        name: What the line gives a value to.
        code: The expression, in postfix order.
        text: The expression as written.
    """

    number: int
    name: str
    code: tuple[Instruction, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Program:
    """Assignments in order, and the return line last."""

    lines: tuple[Line, ...]
