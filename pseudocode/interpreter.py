"""Run a program with exact rationals, within limits, and keep a trace of every step.

Nothing is evaluated by Python itself: a stack machine carries out the grammar's operations. A name
may be given a new value by a later row; it then means the newer value.
"""

from fractions import Fraction

from pseudocode.errors import PseudocodeError
from pseudocode.grammar import Level
from pseudocode.limits import DEFAULT_LIMITS, Limits
from pseudocode.machine import Answerer, Machine
from pseudocode.numbers import format_number
from pseudocode.parser import parse
from pseudocode.program import Program
from pseudocode.result import Failure, Result


def run(
    source: str | Program,
    limits: Limits = DEFAULT_LIMITS,
    *,
    level: Level = "task",
    answerer: Answerer | None = None,
) -> Result:
    """Run a program; whatever is wrong with it ends in `Result.error`, never in an exception.

    Args:
        source: The program, as text or parsed.
        limits: What the program may use, the number of questions to the answerer included.
        level: How much of the dialect a text may use; see `grammar_text`.
        answerer: Called with the text of each leaf step (`name = ask "..."`) and returns its answer,
            which is a number where it reads as one. What it raises is not caught. Without one, a
            program that reaches a leaf step has no answer.
    """
    machine = Machine(limits, answerer)
    try:
        program = parse(source, limits, level) if isinstance(source, str) else source
        value = machine.run(program)
    except PseudocodeError as error:
        failure = Failure(str(error.code), error.message, error.line or machine.line)
        return Result(None, None, tuple(machine.trace), machine.steps, failure)
    number = value if isinstance(value, Fraction) else None
    answer = value if isinstance(value, str) else format_number(value)
    return Result(answer, number, tuple(machine.trace), machine.steps, None)
