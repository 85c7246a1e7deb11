"""Run a program with exact rationals, within limits, and keep a trace of every line.

Nothing is evaluated by Python itself: each operation of the grammar is one function here.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from pseudocode.errors import ExecutionError, LimitError, PseudocodeError
from pseudocode.numbers import format_number
from pseudocode.parser import MAX_DEPTH, MAX_SOURCE_BYTES, parse
from pseudocode.program import Expression, Name, Number, Program

# log2(10): decimal digits to bits.
_BITS_PER_DIGIT = 3.3219280948873626


@dataclass(frozen=True)
class Limits:
    """How much a program may use.

    Attributes:
        max_source_bytes: Length of the text in UTF-8.
        max_depth: Nesting of one expression.
        max_steps: Operations, over all lines.
        max_digits: Decimal digits of any numerator or denominator.
        timeout_s: Wall-clock seconds for running.
    """

    max_source_bytes: int = MAX_SOURCE_BYTES
    max_depth: int = MAX_DEPTH
    max_steps: int = 10_000
    max_digits: int = 1_000
    timeout_s: float = 1.0


@dataclass(frozen=True)
class Step:
    """One line as it was run: what it computed, and from which text."""

    line: int
    name: str
    value: str
    expression: str


@dataclass(frozen=True)
class Failure:
    """Why there is no answer."""

    code: str
    message: str
    line: int | None


@dataclass(frozen=True)
class Result:
    """What running a program gave; `answer` is `None` exactly when `error` is not."""

    answer: str | None
    value: Fraction | None
    trace: tuple[Step, ...]
    steps: int
    error: Failure | None


def run(source: str | Program, limits: Limits | None = None) -> Result:
    """Run a program; whatever is wrong with it ends in `Result.error`, never in an exception."""
    machine = _Machine(limits or Limits())
    try:
        value = machine.run(source)
    except PseudocodeError as error:
        line = error.line or machine.line
        failure = Failure(error.code, error.message, line)
        return Result(None, None, tuple(machine.trace), machine.steps, failure)
    return Result(format_number(value), value, tuple(machine.trace), machine.steps, None)


class _Machine:
    """The state of one run."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.values: dict[str, Fraction] = {}
        self.trace: list[Step] = []
        self.steps = 0
        self.line: int | None = None
        self._max_bits = int(limits.max_digits * _BITS_PER_DIGIT) + 1
        self._deadline = math.inf

    def run(self, source: str | Program) -> Fraction:
        program = source
        if isinstance(program, str):
            program = parse(
                program,
                max_source_bytes=self.limits.max_source_bytes,
                max_depth=self.limits.max_depth,
            )
        self._deadline = time.monotonic() + self.limits.timeout_s
        value = Fraction(0)
        for line in program.lines:
            self.line = line.number
            value = self._compute(line.expression)
            self.values[line.name] = value
            self.trace.append(Step(line.number, line.name, format_number(value), line.text))
        return value

    def _compute(self, expression: Expression) -> Fraction:
        # The parser bounds the depth, so this recursion is bounded too.
        if isinstance(expression, Number):
            return self._fitting(expression.value)
        if isinstance(expression, Name):
            return self._value_of(expression.name)
        arguments = [self._compute(argument) for argument in expression.arguments]
        self._count_step()
        if expression.operation == "raise_to":
            return self._power(*arguments)
        return self._fitting(_OPERATIONS[expression.operation](*arguments))

    def _value_of(self, name: str) -> Fraction:
        try:
            return self.values[name]
        except KeyError:
            known = ", ".join(self.values) or "none yet"
            raise ExecutionError(
                "unknown_name", f"{name!r} has no value here; names with a value: {known}."
            ) from None

    def _count_step(self) -> None:
        self.steps += 1
        if self.steps > self.limits.max_steps:
            raise LimitError(
                "too_many_steps", f"The program takes more than {self.limits.max_steps} steps."
            )
        if time.monotonic() > self._deadline:
            raise LimitError("too_slow", f"The program ran longer than {self.limits.timeout_s} s.")

    def _fitting(self, value: Fraction) -> Fraction:
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > self._max_bits:
            raise LimitError(
                "number_too_long", f"A number has more than {self.limits.max_digits} digits."
            )
        return value

    def _power(self, base: Fraction, exponent: Fraction) -> Fraction:
        if exponent.denominator != 1:
            raise ExecutionError(
                "bad_exponent",
                f"The exponent is {format_number(exponent)}; expected a whole number.",
            )
        if base == 0 and exponent < 0:
            raise _division_by_zero()
        size_bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        # 0, 1 and -1 stay small whatever the exponent; a power of two has one bit to spare.
        if abs(base) not in (0, 1) and (size_bits - 1) * abs(exponent) > self._max_bits:
            raise LimitError(
                "number_too_long", f"A number has more than {self.limits.max_digits} digits."
            )
        if abs(base) == 1:
            exponent = exponent % 2
        return self._fitting(Fraction(base ** int(exponent)))


def _division_by_zero() -> ExecutionError:
    return ExecutionError("division_by_zero", "The divisor is 0; expected any other number.")


def _divide(left: Fraction, right: Fraction) -> Fraction:
    if right == 0:
        raise _division_by_zero()
    return left / right


def _floor_divide(left: Fraction, right: Fraction) -> Fraction:
    return Fraction(math.floor(_divide(left, right)))


def _modulo(left: Fraction, right: Fraction) -> Fraction:
    return left - right * _floor_divide(left, right)


_OPERATIONS: dict[str, Callable[..., Fraction]] = {
    "add": lambda left, right: left + right,
    "subtract": lambda left, right: left - right,
    "multiply": lambda left, right: left * right,
    "divide": _divide,
    "floor_divide": _floor_divide,
    "modulo": _modulo,
    "negate": lambda value: -value,
    "minimum": min,
    "maximum": max,
    "absolute": abs,
    "round_half_even": lambda value: Fraction(round(value)),
    "round_down": lambda value: Fraction(math.floor(value)),
    "round_up": lambda value: Fraction(math.ceil(value)),
}
