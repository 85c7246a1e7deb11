"""Figures: what a benchmark measured, beside its goal, as a table or as JSON.

Knows nothing of what is measured; what is hoped for stands in `goals`.
"""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Sweep:
    """Where on a way a figure was measured, so that it can be drawn how it grows.

    Attributes:
        series: What is the same all along.
        along: What grows, "requests at once" for example.
        at: How much of it.
    """

    series: str
    along: str
    at: float


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        name: What was measured.
        value: The number.
        unit: What it counts, "s" or "MB" for example.
        goal: What was hoped for, for people; empty where there is no goal.
        ok: Whether the goal was reached; `None` where there is none.
        note: How it was measured.
        sweep: Its place in a row of measurements, if it is of one.
    """

    name: str
    value: float
    unit: str
    goal: str = ""
    ok: bool | None = None
    note: str = ""
    sweep: Sweep | None = None


def machine() -> dict[str, object]:
    """What the figures were measured on, and how busy it was just now."""
    return {
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def as_json(benchmark: str, found: Sequence[Figure], before: dict[str, object]) -> str:
    """One JSON document of a run, as `read` takes it; `before` is `machine()` at its start."""
    document = {
        "benchmark": benchmark,
        "machine": before,
        "figures": [asdict(figure) for figure in found],
    }
    return json.dumps(document, indent=2) + "\n"


def read(document: Mapping[str, Any]) -> list[Figure]:
    """The figures of such a document."""
    found = []
    for figure in document["figures"]:
        sweep = figure["sweep"]
        found.append(Figure(**{**figure, "sweep": None if sweep is None else Sweep(**sweep)}))
    return found


def show(benchmark: str, found: Sequence[Figure], before: dict[str, object]) -> None:
    """Print a run as a table."""
    console = Console(file=sys.stdout, highlight=False, markup=False)
    # Written to a file, nothing should be folded at 80 columns.
    console.width = max(console.width, 160)
    table = Table("figure", "value", "goal", "", "how", box=None, pad_edge=False)
    for figure in found:
        verdict = {True: "ok", False: "MISSED", None: ""}[figure.ok]
        value = f"{figure.value:.4g} {figure.unit}"
        cells = (figure.name, value, figure.goal, verdict, figure.note)
        table.add_row(*(Text(cell) for cell in cells))
    console.print(f"{benchmark}, on {before}", soft_wrap=True)
    console.print(table)
