"""Run a program with exact rationals, within limits, and keep a trace of every line.

Nothing is evaluated by Python itself: a stack machine carries out the grammar's operations. A name
may be given a new value by a later line; it then means the newer value.
"""

import time
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from pseudocode.errors import Code, ExecutionError, PseudocodeError
from pseudocode.limits import DEFAULT_LIMITS, Limits
from pseudocode.numbers import OPERATIONS, format_number, power
from pseudocode.parser import parse
from pseudocode.program import Apply, Instruction, Name, Program


@dataclass(frozen=True, slots=True)
class Step:
    """One line as it was run: what it computed, and from which text; the last is `return`."""

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
        answer: The returned value as text: an integer, a terminating decimal or a fraction p/q.
        value: The same, exactly.
        trace: One step per line that was finished.
        steps: Operations carried out plus lines finished.
        error: Why there is no answer.
    """

    answer: str | None
    value: Fraction | None
    trace: tuple[Step, ...]
    steps: int
    error: Failure | None


def run(source: str | Program, limits: Limits = DEFAULT_LIMITS) -> Result:
    """Run a program; whatever is wrong with it ends in `Result.error`, never in an exception."""
    machine = _Machine(limits)
    try:
        program = parse(source, limits) if isinstance(source, str) else source
        value = machine.run(program)
    except PseudocodeError as error:
        failure = Failure(str(error.code), error.message, error.line or machine.line)
        return Result(None, None, tuple(machine.trace), machine.steps, failure)
    return Result(machine.trace[-1].value, value, tuple(machine.trace), machine.steps, None)


class _Machine:
    """The state of one run."""

    def __init__(self, limits: Limits) -> None:
        self.values: dict[str, Fraction] = {}
        self.trace: list[Step] = []
        self.steps = 0
        self.line: int | None = None
        self._limits = limits
        self._bound = _power_of_ten(limits.max_digits)
        self._deadline_s = 0.0

    def run(self, program: Program) -> Fraction:
        self._deadline_s = time.thread_time() + self._limits.timeout_s
        value = Fraction(0)
        for line in program.lines:
            self.line = line.number
            value = self._compute(line.code)
            self._count_step()
            self.values[line.name] = value
            self.trace.append(Step(line.number, line.name, format_number(value), line.text))
        return value

    def _compute(self, code: tuple[Instruction, ...]) -> Fraction:
        stack: list[Fraction] = []
        for instruction in code:
            if isinstance(instruction, Apply):
                self._count_step()
                operands = stack[-instruction.arity :]
                del stack[-instruction.arity :]
                stack.append(self._apply(instruction.operation, operands))
            elif isinstance(instruction, Name):
                stack.append(self._value_of(instruction.name))
            else:
                stack.append(instruction.value)
        return stack.pop()

    def _apply(self, operation: str, operands: list[Fraction]) -> Fraction:
        if operation == "raise_to":
            base, exponent = operands
            value = power(base, exponent, max_bits=self._bound.bit_length())
        else:
            value = OPERATIONS[operation](*operands)
        if value is None or abs(value.numerator) >= self._bound or value.denominator >= self._bound:
            raise ExecutionError(
                Code.NUMBER_TOO_LONG,
                f"The line computes a number of more than {self._limits.max_digits} digits; that "
                "is the most allowed. Look for a power or product that grows too far.",
            )
        return value

    def _value_of(self, name: str) -> Fraction:
        value = self.values.get(name)
        if value is None:
            known = ", ".join(list(self.values)[:20]) or "none yet"
            raise ExecutionError(
                Code.UNKNOWN_NAME,
                f"The line uses `{name}`, which has no value; expected one of the names of the "
                f"lines above ({known}). Give it a value on an earlier line.",
            )
        return value

    def _count_step(self) -> None:
        self.steps += 1
        if self.steps > self._limits.max_steps:
            raise ExecutionError(
                Code.TOO_MANY_STEPS,
                f"The program takes {self.steps} steps and does not end there; at most "
                f"{self._limits.max_steps} are allowed. Shorten it.",
            )
        if time.thread_time() > self._deadline_s:
            raise ExecutionError(
                Code.TOO_SLOW,
                f"The program computes for more than {self._limits.timeout_s} s; that is the most "
                "allowed. Shorten it.",
            )


@lru_cache(maxsize=8)
def _power_of_ten(exponent: int) -> int:
    return int(10**exponent)
