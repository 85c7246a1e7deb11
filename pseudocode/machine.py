"""The stack machine: the state of one run, and what each kind of row and instruction does to it."""

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import repeat

from pseudocode.errors import Code, ExecutionError, shortened
from pseudocode.flow import Flow, flow_of
from pseudocode.limits import Limits
from pseudocode.numbers import OPERATIONS, power
from pseudocode.program import Apply, Instruction, Kind, Line, Name, Program
from pseudocode.result import Step
from pseudocode.values import (
    COLLECTIONS,
    Item,
    Value,
    append,
    bounded_text,
    format_value,
    join,
    kind_of,
    numbers_of,
    read_answer,
    whole,
    wrong_type,
)

Answerer = Callable[[str], str]

_WRITTEN = frozenset({"items", "table"})
_OF_MANY = frozenset({"total", "minimum", "maximum"})


class Machine:
    """Runs one program once."""

    def __init__(self, limits: Limits, answerer: Answerer | None) -> None:
        self.values: dict[str, Value] = {}
        self.trace: list[Step] = []
        self.steps = 0
        self.line: int | None = None
        self._limits = limits
        self._answerer = answerer
        self._asks = 0
        self._trace_chars = 0
        self._bound = _power_of_ten(limits.max_digits)
        self._deadline_s = 0.0
        self._lines: tuple[Line, ...] = ()
        self._flow = Flow({}, {}, {}, [])
        # The items that are left to the loops that are running; a `while` has none.
        self._loops: list[Iterator[Item]] = []

    def run(self, program: Program) -> Item:
        """Run to the first return line that is reached, and give its value.

        Raises:
            ExecutionError: The program cannot be computed, or not within the limits.
        """
        self._deadline_s = time.thread_time() + self._limits.timeout_s
        self._lines = program.lines
        if any(line.kind not in ("step", "return") for line in program.lines):
            self._flow = flow_of(program.lines)
        place = 0
        while True:
            line = self._enter(place)
            if line.kind == "step":
                self._keep(line, self._compute(line.code))
                place += 1
            elif line.kind == "return":
                return self._return(line)
            else:
                place = _ROWS[line.kind](self, place, line)

    def _enter(self, place: int) -> Line:
        line = self._lines[place]
        self.line = line.number
        return line

    def _return(self, line: Line) -> Item:
        value = self._compute(line.code)
        if not isinstance(value, (Fraction, str)):
            raise wrong_type("returns", kind_of(value), "a number or a text")
        self._record(line, line.name, value)
        return value

    def _keep(self, line: Line, value: Value) -> None:
        self._record(line, line.name, value)
        self.values[line.name] = value

    def _record(self, line: Line, name: str, value: Value) -> None:
        self._count_steps(1 if isinstance(value, (Fraction, str)) else 1 + len(value))
        step = Step(line.number, name, format_value(value), line.text)
        self._trace_chars += len(step.name) + len(step.value) + len(step.expression)
        if self._trace_chars > self._limits.max_trace_chars:
            raise ExecutionError(
                Code.TRACE_TOO_LONG,
                f"The steps that were run have {self._trace_chars} characters; at most "
                f"{self._limits.max_trace_chars} are allowed. Shorten the values and the lines.",
            )
        self.trace.append(step)

    def _append(self, place: int, line: Line) -> int:
        longer = append(self._value_of(line.name), self._compute(line.code))
        self._record(line, f"{line.name}[{len(longer) - 1}]", longer[-1])
        self.values[line.name] = longer
        return place + 1

    def _ask(self, place: int, line: Line) -> int:
        prompt = self._compute(line.code)
        if not isinstance(prompt, str):
            raise wrong_type("asks", kind_of(prompt), "a text")
        if self._answerer is None:
            raise ExecutionError(
                Code.NO_ANSWERER,
                f"The line asks `{shortened(prompt)}`, and nothing is there to answer; expected a run with an "
                "answerer. Give one, or compute the value.",
            )
        self._asks += 1
        if self._asks > self._limits.max_asks:
            raise ExecutionError(
                Code.TOO_MANY_ASKS,
                f"The program asks {self._asks} times; at most {self._limits.max_asks} are "
                "allowed. Ask less, or compute the values.",
            )
        answer = bounded_text(self._answerer(prompt), self._limits.max_text_chars)
        self._keep(line, self._checked(read_answer(answer, self._limits.max_digits)))
        return place + 1

    def _holds(self, line: Line) -> bool:
        value = self._compute(line.code)
        if not isinstance(value, Fraction):
            raise wrong_type("decides by", kind_of(value), "a comparison or a number")
        self._record(line, line.kind, value)
        return value != 0

    def _if(self, place: int, line: Line) -> int:
        holds = self._holds(line)
        while not holds:
            place = self._flow.otherwise[place]
            line = self._enter(place)
            holds = line.kind != "else if" or self._holds(line)
        return place + 1

    def _leave_branch(self, place: int, _line: Line) -> int:
        return self._flow.end[place] + 1

    def _repeat(self, place: int, line: Line) -> int:
        times = whole(self._compute(line.code), Code.BAD_COUNT)
        self._record(line, line.kind, Fraction(times))
        # No more rounds can be run than steps, and `repeat` counts no further than a machine word.
        self._loops.append(repeat(Fraction(times), min(times, self._limits.max_steps + 1)))
        return self._next_round(place, line)

    def _for_each(self, place: int, line: Line) -> int:
        values = self._compute(line.code)
        if isinstance(values, Fraction):
            raise wrong_type("goes through", "a number", "a list, a table or a text")
        self._count_steps(1)
        self._loops.append(iter(values))
        return self._next_round(place, line)

    def _next_round(self, place: int, line: Line) -> int:
        """Begin a loop's next round, or leave it where nothing is left."""
        item = next(self._loops[-1], None)
        if item is None:
            self._loops.pop()
            return self._flow.end[place] + 1
        if line.kind == "for each":
            self._keep(line, item)
        return place + 1

    def _while(self, place: int, line: Line) -> int:
        return place + 1 if self._holds(line) else self._flow.end[place] + 1

    def _end(self, place: int, _line: Line) -> int:
        begin = self._flow.begin.get(place)
        if begin is None:
            return place + 1
        line = self._enter(begin)
        return begin if line.kind == "while" else self._next_round(begin, line)

    def _compute(self, code: tuple[Instruction, ...]) -> Value:
        stack: list[Value] = []
        for instruction in code:
            if isinstance(instruction, Apply):
                self._count_steps(1)
                arity = instruction.arity
                operands = stack[-arity:] if arity else []
                del stack[len(stack) - arity :]
                stack.append(self._apply(instruction.operation, operands))
            elif isinstance(instruction, Name):
                stack.append(self._value_of(instruction.name))
            else:
                stack.append(instruction.value)
        return stack.pop()

    def _apply(self, operation: str, operands: list[Value]) -> Value:
        if operation in COLLECTIONS:
            if operation in _WRITTEN:
                self._count_steps(len(operands))
            return COLLECTIONS[operation](*operands)
        if operation in _OF_MANY:
            return self._of_many(operation, numbers_of(operands, operation))
        numbers = [operand for operand in operands if isinstance(operand, Fraction)]
        if len(numbers) < len(operands):
            return self._join(operation, operands)
        if operation == "raise_to":
            base, exponent = numbers
            return self._checked(power(base, exponent, max_bits=self._bound.bit_length()))
        return self._checked(OPERATIONS[operation](*numbers))

    def _join(self, operation: str, operands: list[Value]) -> str:
        if operation == "add" and any(isinstance(operand, str) for operand in operands):
            left, right = operands
            return join(left, right, self._limits.max_text_chars)
        kinds = " and ".join(map(kind_of, operands))
        raise wrong_type(f"computes `{operation}` of", kinds, "numbers")

    def _of_many(self, operation: str, numbers: list[Fraction]) -> Value:
        self._count_steps(len(numbers))
        if operation != "total":
            return OPERATIONS[operation](*numbers)
        total = Fraction(0)
        for number in numbers:
            total += number
            self._checked(total)
        return total

    def _checked(self, value: Item | None) -> Item:
        if isinstance(value, str):
            return value
        if value is None or abs(value.numerator) >= self._bound or value.denominator >= self._bound:
            raise ExecutionError(
                Code.NUMBER_TOO_LONG,
                f"The line computes a number of more than {self._limits.max_digits} digits; that "
                "is the most allowed. Look for a power or product that grows too far.",
            )
        return value

    def _value_of(self, name: str) -> Value:
        value = self.values.get(name)
        if value is None:
            known = ", ".join(map(shortened, list(self.values)[:20])) or "none yet"
            raise ExecutionError(
                Code.UNKNOWN_NAME,
                f"The line uses `{shortened(name)}`, which has no value; expected one of the names of the "
                f"lines above ({known}). Give it a value on an earlier line.",
            )
        return value

    def _count_steps(self, count: int) -> None:
        self.steps += count
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


_ROWS: dict[Kind, Callable[[Machine, int, Line], int]] = {
    "append": Machine._append,
    "ask": Machine._ask,
    "if": Machine._if,
    "else if": Machine._leave_branch,
    "else": Machine._leave_branch,
    "repeat": Machine._repeat,
    "for each": Machine._for_each,
    "while": Machine._while,
    "end": Machine._end,
}


@lru_cache(maxsize=8)
def _power_of_ten(exponent: int) -> int:
    return int(10**exponent)
