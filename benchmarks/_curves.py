"""Risk-coverage curves as data and as a picture: what abstaining more buys."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks._intervals import Point

SUFFIXES = (".svg", ".png")


def write_curves(path: Path, curves: Mapping[str, Sequence[Point]]) -> None:
    """Draw curves, and write their points beside the picture as JSON.

    Args:
        path: The picture, .svg or .png; the points go to the same name with .json.
        curves: By what is said of each in the legend.
    """
    points = {label: [point._asdict() for point in curve] for label, curve in curves.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".json").write_text(json.dumps(points, indent=2) + "\n", encoding="utf-8")
    # Half a second, and only at the end of a run.
    import matplotlib  # noqa: PLC0415

    matplotlib.use("Agg")
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for label, curve in curves.items():
        coverage = [100 * point.coverage for point in curve]
        risk = [100 * point.risk for point in curve]
        axes.plot(coverage, risk, marker="o", markersize=3, linewidth=1.5, label=label)
    axes.set_xlabel("questions answered (%)")
    axes.set_ylabel("of these, wrong (%)")
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.grid(alpha=0.3)
    if curves:
        axes.legend(fontsize="small")
    figure.savefig(path, dpi=110)
