"""What is hoped for, in one place: the goals of every benchmark, by the names of its figures.

A name is a pattern as of a shell; the first that fits counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

from benchmarks.figures import Figure


@dataclass(frozen=True)
class Goal:
    """A limit for all figures of a name.

    Attributes:
        name: Pattern of their names.
        bound: Whether the figure should reach the limit or not exceed it.
        limit: In the figure's own unit.
    """

    name: str
    bound: Literal[">=", "<="]
    limit: float

    def judge(self, figure: Figure) -> Figure:
        """The figure with this goal beside it."""
        reached = figure.value >= self.limit if self.bound == ">=" else figure.value <= self.limit
        goal = f"{self.bound} {self.limit:g} {figure.unit}".rstrip()
        return replace(figure, goal=goal, ok=reached)


GOALS: dict[str, tuple[Goal, ...]] = {
    "engine": (
        Goal("adapter / base, decode at 8", ">=", 0.90),
        Goal("four adapters mixed / base, decode at 8", ">=", 0.80),
        Goal("adapter / base, prefill of 900 tokens", ">=", 0.95),
        Goal("ours / vLLM as installed, base at 8", ">=", 4.0),
        Goal("ours / vLLM as installed, one adapter at 8", ">=", 6.0),
        Goal("base at 16 / its matrices alone", ">=", 0.75),
    ),
}


def judged(benchmark: str, found: Sequence[Figure]) -> list[Figure]:
    """The figures of a benchmark, each with its goal where it has one."""
    return [_judged(GOALS.get(benchmark, ()), figure) for figure in found]


def _judged(goals: Sequence[Goal], figure: Figure) -> Figure:
    goal = next((goal for goal in goals if fnmatchcase(figure.name, goal.name)), None)
    return figure if goal is None else goal.judge(figure)
