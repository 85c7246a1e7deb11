"""Mend the arithmetic of a chain-of-thought, where that alone makes it right."""

import re

from reasoning.check import check
from reasoning.report import Step

MAX_CHANGES = 50


def repair(text: str, gold: str | None = None) -> str | None:
    """Replace wrong results by right ones, also where later steps and the conclusion use them.

    Args:
        text: The chain-of-thought.
        gold: The right answer; the repaired text must come to it.

    Returns:
        The repaired text, or `None` if this does not make it consistent.
    """
    for _ in range(MAX_CHANGES):
        report = check(text, gold)
        wrong = next((step for step in report.steps if not step.ok), None)
        if wrong is None:
            return text if report.consistent else None
        mended = _mend(text, wrong)
        if mended is None:
            return None
        text = mended
    return None


def _mend(text: str, step: Step) -> str | None:
    """Write the right value; a later use of the wrong one follows if nothing else gave it."""
    old, new = _bare(text[step.start : step.end]), step.recomputed
    if old is None or new is None or "/" in new:
        return None
    before, value, behind = text[: step.start], text[step.start : step.end], text[step.end :]
    number = rf"(?<![\d.,/]){re.escape(old)}(?![\d/]|[.,]\d)"
    if not re.search(number, before):
        behind = re.sub(number, new, behind)
    return before + value.replace(old, new, 1) + behind


def _bare(value: str) -> str | None:
    """The number in a stated value, if it is just one."""
    found = re.findall(r"-?\d[\d,]*(?:\.\d+)?|-?\.\d+", value)
    return found[0] if len(found) == 1 else None
