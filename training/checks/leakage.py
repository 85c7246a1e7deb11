"""Held-out rows that are trained on: exactly, or nearly."""

from collections.abc import Sequence

from training.checks.similarity import Index, normalise
from training.codes import Problem
from training.sheet import Row


def exact_leaks(trained: Sequence[Row], held_out: Sequence[Row], where: str) -> list[Problem]:
    """Find held-out rows whose prompt is trained on, whatever its case, width or punctuation.

    Args:
        trained: Rows to train on.
        held_out: Rows to measure with.
        where: What the first are called in messages.
    """
    lines = {normalise(_key(row)): row.line for row in reversed(trained)}
    return [
        Problem(row.line, "leak", f"its prompt is at line {lines[key]} of {where}")
        for row in held_out
        if (key := normalise(_key(row))) in lines
    ]


def near_leaks(trained: Sequence[Row], held_out: Sequence[Row], where: str) -> list[Problem]:
    """Find held-out rows whose prompt is nearly one that is trained on."""
    index = Index()
    for row in trained:
        index.add(row.line, _key(row))
    found = []
    for row in held_out:
        nearest = index.nearest(_key(row))
        if nearest is not None:
            message = (
                f"its prompt shares {nearest[1]:.0%} with that at line {nearest[0]} of {where}"
            )
            found.append(Problem(row.line, "near_leak", message))
    return found


def _key(row: Row) -> str:
    return row.prompt or row.output
