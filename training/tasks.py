"""The tasks a model can be trained for, declared as data; a new one is one entry in `TASKS`.

A task says how a prompt is worded, where an answer ends, and what a row must satisfy beyond having
a prompt and an output. It knows nothing of tokens.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import pseudocode

TaskName = Literal["pseudocode", "instruct", "evolution"]
PLACEHOLDER = "{prompt}"


@dataclass(frozen=True)
class Fault:
    """Why the output of a row cannot be trained on: a stable code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True)
class Task:
    """One kind of training row.

    Attributes:
        prompt: The text around a prompt, with `{prompt}` once.
        chat_first: Use the base model's own chat template instead, if it has one.
        stop: Strings that end an answer, beside the end-of-text token.
        max_answer_tokens: The default limit of an answer when served.
        check: Finds a fault in an output, given the gold answer of the row if it has one.
    """

    prompt: str
    chat_first: bool = False
    stop: tuple[str, ...] = ()
    max_answer_tokens: int = 256
    check: Callable[[str, str | None], Fault | None] | None = None


def check_program(program: str, gold: str | None) -> Fault | None:
    """Run a program; it must give an answer, and the gold answer if there is one."""
    result = pseudocode.run(program)
    if result.error is not None or result.answer is None:
        reason = result.error.message if result.error else "it returns nothing"
        return Fault("program_fails", f"the program does not run: {reason}")
    if gold is not None and not same_number(result.answer, gold):
        return Fault(
            "program_wrong", f"the program gives {result.answer}, but the answer is {gold!r}"
        )
    return None


def same_number(answer: str, gold: str) -> bool:
    """Whether two answers are the same text or the same number, `0.5` and `1/2` for example."""
    if answer == gold.strip():
        return True
    given = pseudocode.run(f"return {gold.strip()}").answer
    return given is not None and given == answer


TASKS: dict[TaskName, Task] = {
    "pseudocode": Task(prompt="Question: {prompt}\nAnswer (in pseudocode):\n", check=check_program),
    "instruct": Task(
        prompt="### Instruction:\n{prompt}\n\n### Response:\n",
        chat_first=True,
        max_answer_tokens=1024,
    ),
    "evolution": Task(prompt="[Input]\n{prompt}\n[Output]\n", max_answer_tokens=1024),
}

if set(TASKS) != set(get_args(TaskName)):
    raise AssertionError("TASKS and TaskName list different tasks")
