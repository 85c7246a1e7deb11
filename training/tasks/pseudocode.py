"""Word problems answered by a program, which is run rather than believed."""

import pseudocode
import reasoning
from training.checks.cells import Fault
from training.tasks.task import Task


def check_program(prompt: str, program: str, gold: str | None) -> list[Fault]:  # noqa: ARG001 - a Check
    """Run a program; it must give an answer, and the gold answer if there is one."""
    result = pseudocode.run(program)
    if result.error is not None or result.answer is None:
        reason = result.error.message if result.error else "it returns nothing"
        return [Fault("program_fails", f"the program does not run: {reason}")]
    if gold is not None and not same_number(result.answer, gold):
        message = f"the program gives {result.answer}, but the answer is {gold!r}"
        return [Fault("program_wrong", message)]
    return []


def same_number(answer: str, gold: str) -> bool:
    """Whether two answers are the same text or the same number, `0.5` and `1/2` for example."""
    if answer == gold.strip():
        return True
    given = pseudocode.run(f"return {gold.strip()}").answer
    # Gold answers are written for people too: 1,234 and 12 apples.
    return (given is not None and given == answer) or reasoning.same_value(answer, gold)


TASK = Task(
    prompt="Question: {prompt}\nAnswer (in pseudocode):\n",
    demands="parse, run, and give the gold answer (`answer` or `gold`) if there is one",
    metrics=("right", "executed", "exact"),
    probes=(
        "Tom has 3 apples and buys 4 more. How many has he?",
        "小明有3个苹果，又买了4个，一共几个？",
    ),
    check=check_program,
    several_ways=True,
)
