"""Whether a program answers its question: one word, `right` or `wrong`."""

from pseudocode.verifying import RIGHT, WRONG, verifier_prompt
from training.checks.cells import Fault
from training.tasks.task import Task


def check_word(prompt: str, output: str, gold: str | None) -> list[Fault]:  # noqa: ARG001 - a Check
    """Check that the output is one of the two words whose probabilities are the score."""
    if output.strip() in (RIGHT, WRONG):
        return []
    message = f"the output is {output.strip()[:40]!r}; expected {RIGHT!r} or {WRONG!r}"
    return [Fault("not_a_verdict", message)]


TASK = Task(
    prompt="{prompt}\n",
    demands="be `right` or `wrong`",
    metrics=("exact",),
    probes=(
        verifier_prompt("Tom has 3 apples and buys 4 more. How many has he?", "return 3 + 4"),
        verifier_prompt("小明有3个苹果，又买了4个，一共几个？", "返回 3 * 4"),
    ),
    check=check_word,
    max_answer_tokens=4,
)
