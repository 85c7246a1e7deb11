"""The breakdown of a decode step as figures and as the table of `docs/performance.md`."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import _pages
from benchmarks._children import running
from benchmarks.engine.asking import (
    CASE_TIMEOUT_S,
    PROMPT_TOKENS,
    READY_TIMEOUT_S,
    ask,
    numbers,
)
from benchmarks.engine.stopwatch import PARTS
from benchmarks.engine.work import Batch
from benchmarks.engine.worker import environment
from benchmarks.figures import Figure, machine

PAGE, MARK = _pages.DOCS / "performance.md", "step profile"
CASES = {
    "base at 8": (0,) * 8,
    "one adapter at 8": (1,) * 8,
    "four adapters at 8": (1, 2, 3, 4) * 2,
    "base at 16": (0,) * 16,
}
OUTSIDE = "between processes, streams"
Breakdown = dict[str, dict[str, float]]


def breakdown(base: Path, adapters: Sequence[Path], place: Path, *, quick: bool) -> list[Figure]:
    """Measure each part of a step in milliseconds, and write the table unless it is quick."""
    rounds, steps = (1, 8) if quick else (5, 30)
    found = measure(base, adapters, place, rounds=rounds, steps=steps)
    if not quick:
        _pages.write_between(PAGE, MARK, as_table(found))
    return [
        Figure(f"{case}, {part}", 1000 * seconds, "ms", note=f"median of {rounds} rounds")
        for case, parts in found.items()
        for part, seconds in parts.items()
    ]


def measure(
    base: Path, adapters: Sequence[Path], place: Path, *, rounds: int, steps: int
) -> Breakdown:
    """Seconds of each part for one step, by case; medians of the rounds.

    Both engines run at once and are asked in turns: the one with the stopwatch, and the whole
    one as the service has it, whose steps are longer by what passes between its processes.
    """
    paths = [str(base), *map(str, adapters)]
    kept = environment("ours")
    seen: dict[str, dict[str, list[float]]] = {case: {} for case in CASES}
    with (
        running("benchmarks.engine.stepping", paths, place / "steps.log", kept) as steps_alone,
        running("benchmarks.engine.worker", ["ours", *paths], place / "whole.log", kept) as whole,
    ):
        for child in (steps_alone, whole):
            child.answer(READY_TIMEOUT_S)
        for number in range(rounds + 1):
            for order, (case, who) in enumerate(CASES.items()):
                asked = {"who": [*who], "steps": steps}
                parts = numbers(steps_alone.ask(asked, CASE_TIMEOUT_S))
                batch = Batch([*who], PROMPT_TOKENS, steps + 1, seed=100 * number + order)
                parts[OUTSIDE] = ask(whole, batch).rest_s / steps - sum(parts.values())
                for part, seconds in parts.items() if number else ():
                    seen[case].setdefault(part, []).append(seconds)
    return {
        case: {part: statistics.median(values) for part, values in parts.items()}
        for case, parts in seen.items()
    }


def as_table(found: Breakdown) -> str:
    """Milliseconds and shares of every part, and the machine, in Markdown."""
    rows = []
    for part in [*PARTS, OUTSIDE]:
        cells = [_cell(parts, part) for parts in found.values()]
        rows.append([part, *cells])
    whole = [f"{1000 * sum(parts.values()):.1f} ms" for parts in found.values()]
    text = _pages.table(["part of a step", *found], [*rows, ["**in all**", *whole]])
    facts = machine()
    return (
        f"{text}\n\nOn {facts['platform']}, {facts['cores']} cores, load {facts['load_average']}."
    )


def _cell(parts: Mapping[str, float], part: str) -> str:
    seconds = parts.get(part, 0.0)
    return f"{1000 * seconds:.1f} ms ({seconds / sum(parts.values()):.0%})"
