"""The page of all benchmarks: a table for each with goals, how things grow in words and pictures, and on what."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import _pages, _plots
from benchmarks.figures import Figure, read

PAGE, DATA, IMAGES = "benchmarks.md", "benchmarks.json", "images/benchmarks"
# Powers below this are noise rather than growth.
FLAT_POWER = 0.15
HEAD = """# All benchmarks, from one run

Written by `python -m benchmarks all`, which runs each as a process of its own, one after another; the same as one
document is in [benchmarks.json](benchmarks.json). `ok` and **missed** are judged by `benchmarks/goals.py`; a figure
without a goal is only shown. What each measures and how is said in the first lines of its module.
"""


def write(document: Mapping[str, Any], folder: Path) -> None:
    """Write the page and its pictures below a folder.

    Args:
        document: What `benchmarks.all` collected.
        folder: As `docs/`; the pictures go into `images/benchmarks/` there.
    """
    parts = [HEAD, _facts(document), _missed(document)]
    for name, one in document["benchmarks"].items():
        parts.append(f"## {name}\n\n{_took(one)}")
        if "figures" in one:
            found = read(one)
            parts += [_table(found), *_growth(name, found, folder)]
    (folder / PAGE).write_text("\n\n".join(part.strip() for part in parts) + "\n", encoding="utf-8")


def _facts(document: Mapping[str, Any]) -> str:
    rows = [(name, document[name]) for name in ("date", "commit", "extent")]
    rows += [*document["machine"].items(), *document["versions"].items()]
    return _pages.table(["on", ""], [[str(name), str(value)] for name, value in rows])


def _missed(document: Mapping[str, Any]) -> str:
    lines = []
    for name, one in document["benchmarks"].items():
        if "figures" not in one:
            lines.append(f"- {name}: gave no figures")
            continue
        lines += [
            f"- {name}, {figure.name}: {value_of(figure)}, goal {figure.goal}"
            for figure in read(one)
            if figure.ok is False
        ]
    return "Missed:\n\n" + "\n".join(lines) if lines else "Every goal was reached."


def _took(one: Mapping[str, Any]) -> str:
    took = f"{one['seconds'] / 60:.1f} of at most {one['limit_s'] / 60:.0f} minutes"
    if "figures" in one:
        return f"{took}, load {one['machine']['load_average']} at the start."
    return f"{took}. **It gave no figures**: {one['failed']}"


def _table(found: Sequence[Figure]) -> str:
    verdicts = {True: "ok", False: "**missed**", None: ""}
    rows = [
        [figure.name, value_of(figure), figure.goal, verdicts[figure.ok], figure.note]
        for figure in found
    ]
    return _pages.table(["figure", "value", "goal", "", "how"], rows)


def value_of(figure: Figure) -> str:
    """A figure's number with its unit."""
    return f"{figure.value:,.4g} {figure.unit}".strip()


def _growth(benchmark: str, found: Sequence[Figure], folder: Path) -> list[str]:
    parts = []
    for along, lines in _plots.sweeps(found).items():
        if not lines:
            continue
        words = re.sub(r"\W+", "-", f"{benchmark} {along}").strip("-").lower()
        _plots.draw(lines, along, folder / IMAGES / f"{words}.svg")
        parts.append("\n".join(f"- {grows(name, along, points)}" for name, points in lines.items()))
        parts.append(f"![{benchmark}: {along}]({IMAGES}/{words}.svg)")
    return parts


def grows(name: str, along: str, points: Sequence[tuple[float, float]]) -> str:
    """A word on how a line grows: the power that leads from its first point to its last."""
    (first, low), (last, high) = points[0], points[-1]
    start = f"{name}: {low:,.4g} at {first:,g} {along}, {high:,.4g} at {last:,g}"
    if low <= 0 or high <= 0:
        return start
    power = math.log(high / low) / math.log(last / first)
    if abs(power) < FLAT_POWER:
        return f"{start}; nearly the same"
    return (
        f"{start}; {high / low:,.3g} times for {last / first:,.3g} times, as the power {power:.2f}"
    )
