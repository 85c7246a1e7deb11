"""Pictures of how figures grow, one for each way that something was measured along."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.figures import Figure

# Series, and for each its points: how much, and the value there.
Lines = Mapping[str, Sequence[tuple[float, float]]]


def sweeps(found: Sequence[Figure]) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """For each way the lines that go along it; what was measured at one point only is no line."""
    ways: defaultdict[str, defaultdict[str, list[tuple[float, float]]]]
    ways = defaultdict(lambda: defaultdict(list))
    for figure in found:
        if figure.sweep is not None:
            name = f"{figure.sweep.series}, {figure.unit}"
            ways[figure.sweep.along][name].append((figure.sweep.at, figure.value))
    return {
        along: {name: sorted(points) for name, points in lines.items() if len(points) > 1}
        for along, lines in ways.items()
    }


def draw(lines: Lines, along: str, path: Path) -> None:
    """Write an SVG with both axes logarithmic; the same figures give the same file."""
    # Half a second, and only for pages.
    import matplotlib  # noqa: PLC0415
    from matplotlib.figure import Figure as Picture  # noqa: PLC0415

    with matplotlib.rc_context({"svg.hashsalt": "loradock", "svg.fonttype": "none"}):
        picture = Picture(figsize=(7, 3.8), layout="constrained")
        axes = picture.subplots()
        for name, points in lines.items():
            at, values = zip(*points, strict=True)
            axes.plot(at, values, marker="o", label=name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(along)
        axes.grid(which="major", alpha=0.3)
        axes.legend()
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.savefig(path, format="svg", metadata={"Date": None})
