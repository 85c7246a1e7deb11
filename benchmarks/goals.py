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


# The largest difference of a log-probability from PEFT's.
PARITY_NAT = 1e-3
# The same for an engine that computes in bfloat16, whose logits have eight bits.
PARITY_BF16_NAT = 0.15
# Of what a plan says, how far what is taken may be off it.
OFF_PLAN = 0.15
_SWAP = (
    Goal("swap under load, failed", "<=", 0),
    Goal("swap, longest gap beyond p99", "<=", 3),
    Goal("swap, first answer of the new version", "<=", 2),
    Goal("dock of a cold adapter, beyond its read", "<=", 0.5),
)
GOALS: dict[str, tuple[Goal, ...]] = {
    "engine": (
        Goal("adapter / base, decode at 8", ">=", 0.90),
        Goal("four adapters mixed / base, decode at 8", ">=", 0.80),
        Goal("adapter / base, prefill of 900 tokens", ">=", 0.95),
        Goal("ours / vLLM as installed, base at 8", ">=", 4.0),
        Goal("ours / vLLM as installed, one adapter at 8", ">=", 6.0),
        Goal("base at 16 / its matrices alone", ">=", 0.75),
    ),
    "service": (
        Goal("throughput, * at once, ours / vLLM's", ">=", 0.98),
        Goal("first token p50, * at once, ours / vLLM's", "<=", 1.05),
        Goal("our layer, streamed", ">=", 20_000),
        Goal("our layer, whole answers", ">=", 1500),
        Goal("our layer, growth of memory", "<=", 8),
        Goal("three busy adapters in two places, longest wait", "<=", 2),
        *_SWAP,
    ),
    "swap": _SWAP,
    "training": (
        Goal("speed, ours over TRL", ">=", 1.5),
        Goal("peak memory, ours over TRL", "<=", 0.8),
        Goal("final loss apart", "<=", 0.1),
    ),
    "parity": (
        Goal("*, top token", "<=", 0),
        # A comparison in which adapters do nothing would prove nothing.
        Goal("*, effect of an adapter", ">=", 10 * PARITY_NAT),
        Goal("*", "<=", PARITY_NAT),
    ),
    "store": (
        Goal("hostile adapters accepted", "<=", 0),
        Goal("verify a hostile adapter", "<=", 0.5),
        Goal("memory for *", "<=", 200),
        Goal("verify 160 MB of float32", "<=", 2),
        Goal("verify 160 MB of bfloat16", "<=", 2),
        Goal("list 1,000 versions", "<=", 0.5),
    ),
    "faults": (
        Goal("*: did not hold", "<=", 0),
        Goal("*: lost", "<=", 0),
        Goal("*: wrong", "<=", 0),
    ),
    "soak": (
        Goal("lost", "<=", 0),
        Goal("wrong", "<=", 0),
        Goal("bad requests not refused", "<=", 0),
        Goal("leases at the end", "<=", 0),
        # What has grown for sure: the lower end of the interval of the slope, so noise is no growth.
        Goal("memory, surely grown", "<=", 32),
        Goal("file handles, surely grown", "<=", 1),
        Goal("threads, surely grown", "<=", 1),
    ),
    # One card of 24 GB, as `scripts/gpu` measures it. vLLM's engine is ours there, so to keep up
    # with it is the goal; a step is so short that gaps are judged in seconds.
    "gpu": (
        Goal("parity of *, captured graphs", ">=", 1),
        Goal("parity of *, top token", "<=", 0),
        # An adapter that did nothing would be off by the whole of its effect.
        Goal("parity of *, over the least effect of an adapter", "<=", 0.5),
        Goal("parity of *", "<=", PARITY_BF16_NAT),
        Goal("graphs and compilation, as the service sets them", ">=", 1),
        Goal("adapter / base, decode at 8", ">=", 0.90),
        Goal("four adapters mixed / base, decode at 8", ">=", 0.80),
        Goal("adapter / base, prefill of 900 tokens", ">=", 0.90),
        Goal("ours / vLLM as installed, *", ">=", 0.95),
        Goal("base at 16 / its matrices alone", ">=", 0.75),
        Goal("memory, *", "<=", OFF_PLAN),
        Goal("training, last loss over first", "<=", 0.9),
        Goal("swap under load, failed", "<=", 0),
        Goal("swap, longest gap beyond p99, in seconds", "<=", 0.25),
        Goal("swap, first answer of the new version", "<=", 2),
        Goal("dock of a cold adapter, beyond its read", "<=", 0.5),
    ),
    "pseudocode": (
        Goal("own English, + grounded: right", ">=", 80),
        Goal("GSM8K train part, + grounded: right", ">=", 22),
        Goal("GSM8K train part, + verifier rerank of 8: right", ">=", 30),
        Goal("*, + *: executed", ">=", 99),
        Goal("*: right again with one number changed", ">=", 95),
        Goal("solving adds", "<=", 5),
        Goal("compiling a grounded grammar", "<=", 20),
    ),
}


def judged(benchmark: str, found: Sequence[Figure]) -> list[Figure]:
    """The figures of a benchmark, each with its goal where it has one."""
    return [_judged(GOALS.get(benchmark, ()), figure) for figure in found]


def _judged(goals: Sequence[Goal], figure: Figure) -> Figure:
    goal = next((goal for goal in goals if fnmatchcase(figure.name, goal.name)), None)
    return figure if goal is None else goal.judge(figure)
