"""What a parsed program is: lines of expressions, ready to be computed."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

Operation = Callable[..., Fraction]


@dataclass(frozen=True, slots=True)
class Number:
    """A literal."""

    value: Fraction
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Name:
    """A value computed on an earlier line."""

    name: str
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """An operation or function on expressions; `depth` counts the nesting below it."""

    operation: str
    arguments: tuple["Expression", ...]
    depth: int


Expression = Number | Name | Call


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `name = expression`, or the return line, whose name is `return`."""

    number: int
    name: str
    expression: Expression
    text: str


@dataclass(frozen=True, slots=True)
class Program:
    """Assignments in order, and the return line last."""

    lines: tuple[Line, ...]
