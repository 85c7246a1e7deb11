"""What running a program gives: an answer or the reason why there is none, and every step."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Step:
    """One row as it was run: what it computed, and from which text; the last is `return`.

    `name` is what got the value: a name, a place in a list such as `xs[2]`, or the row's word where
    the value only decides how to go on (`if`, `else if`, `repeat`, `while`).
    """

    line: int
    name: str
    value: str
    expression: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer; the codes are those of `pseudocode.errors.Code`."""

    code: str
    message: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Result:
    """What running a program gave; `answer` is `None` exactly when `error` is not.

    Attributes:
        answer: The returned value as text: an integer, a terminating decimal, a fraction p/q, or
            what a returned text says.
        value: The same number, exactly; `None` for a text.
        trace: One step per row that was run and computes something.
        steps: Operations carried out, rows finished, and items of lists looked at or written.
        error: Why there is no answer.
    """

    answer: str | None
    value: Fraction | None
    trace: tuple[Step, ...]
    steps: int
    error: Failure | None
