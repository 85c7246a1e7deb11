"""Rows that say nearly the same as an earlier one."""

from collections.abc import Sequence

from training.checks.similarity import near_pairs
from training.codes import Problem
from training.sheet import Row


def near_repeats(rows: Sequence[Row]) -> list[Problem]:
    """Find rows whose prompt, or text if there is none, is nearly that of an earlier one."""
    return [
        Problem(
            rows[pair.later].line,
            "near_duplicate",
            f"its prompt shares {pair.overlap:.0%} with that of line {rows[pair.earlier].line}",
        )
        for pair in near_pairs([row.prompt or row.output for row in rows])
    ]
