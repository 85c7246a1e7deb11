"""Chain-of-thought in steps, every calculation of which must come out."""

import reasoning
from training.checks.cells import Fault
from training.tasks.task import Task

LEAST_SENTENCES = 2


def check_chain(prompt: str, text: str, gold: str | None) -> list[Fault]:  # noqa: ARG001 - a Check
    """Check that there are steps, that they come out, and that the conclusion follows and is last."""
    report = reasoning.check(text, gold)
    faults = [
        Fault(
            "calculation_wrong",
            f"{_short(step.text)!r} states {step.stated}, but it comes to {step.recomputed}",
        )
        for step in report.steps
        if not step.ok
    ]
    if not report.calculations and len(report.steps) < LEAST_SENTENCES:
        message = "there are no steps before the conclusion; write down how it is reached"
        faults.insert(0, Fault("steps_missing", message))
    return faults + _about_conclusion(report, gold)


def _about_conclusion(report: reasoning.Report, gold: str | None) -> list[Fault]:
    if report.answer is None:
        return [Fault("conclusion_missing", "end with `Answer: N` or `答案：N`")]
    faults = []
    if not report.answer_last:
        faults.append(Fault("conclusion_not_last", f"text follows the answer {report.answer!r}"))
    if report.matches_gold is False:
        message = f"the conclusion is {report.answer!r}, but the gold answer is {gold!r}"
        faults.append(Fault("conclusion_wrong", message))
    elif report.matches_gold is None and not report.answer_supported:
        message = f"the conclusion is {report.answer!r}, which no step comes to"
        faults.append(Fault("conclusion_unsupported", message))
    return faults


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


TASK = Task(
    prompt="Question: {prompt}\nAnswer step by step:\n",
    demands="have steps whose calculations come out, and end with `Answer: N` or `答案：N`, equal to "
    "the gold answer (`answer` or `gold`) if there is one",
    metrics=("concluded", "consistent", "steps_right", "conclusion_last"),
    probes=("Tom has 3 bags of 4 apples. How many apples?", "3袋苹果，每袋4个，一共几个？"),
    check=check_chain,
)
