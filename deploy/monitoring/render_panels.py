"""Draws the panels of the dashboards from a running Prometheus, for documents and for machines without Grafana.

    python deploy/monitoring/render_panels.py --prometheus http://127.0.0.1:9090 --minutes 5 --out docs/images

Same panels, queries, legends, units and places as in `grafana/dashboards`; drawn by matplotlib.
"""

import argparse
import io
import json
import math
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from PIL import Image

DASHBOARDS = Path(__file__).parent / "grafana" / "dashboards"
TIMEOUT_S = 30.0
POINTS = 120
COLUMNS = 24
# Of one of Grafana's grid units.
WIDTH_IN, HEIGHT_IN = 0.6, 0.3
DPI = 70
COLOURS = 24
SUFFIX = {"s": " s", "reqps": "/s", "percentunit": " %"}

JSON = dict[str, Any]


def expand(expression: str, window: str) -> str:
    """A query with every instance and adapter chosen, and this rate interval."""
    values = {"$__rate_interval": window, "$instance": ".*", "$adapter": ".*"}
    for name, value in values.items():
        expression = expression.replace(name, value)
    return expression


def panels(name: str) -> list[JSON]:
    """The panels of a dashboard as they are in its file."""
    text = (DASHBOARDS / f"{name}.json").read_text(encoding="utf-8")
    found: list[JSON] = json.loads(text)["panels"]
    return found


def asked(prometheus: str, query: str, minutes: float) -> list[JSON]:
    """The series of a query over the last minutes."""
    end_s = time.time()
    start_s = end_s - 60 * minutes
    step_s = max(0.25, (end_s - start_s) / POINTS)
    fields = {"query": query, "start": start_s, "end": end_s, "step": step_s}
    url = f"{prometheus}/api/v1/query_range?{urllib.parse.urlencode(fields)}"
    if not url.startswith(("http://", "https://")):
        raise SystemExit(f"--prometheus {prometheus!r} is no address; expected http://HOST:PORT")
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - checked above
        result: list[JSON] = json.load(answer)["data"]["result"]
    return result


def legend(template: str, labels: Mapping[str, str]) -> str:
    """Grafana's legend, filled in."""
    for name, value in labels.items():
        template = template.replace(f"{{{{{name}}}}}", value)
    return template


def draw(
    axes: Axes, panel: JSON, lines: Sequence[tuple[str, list[list[Any]]]], end_s: float
) -> None:
    """One panel, as far as it has data."""
    unit = panel["fieldConfig"]["defaults"]["unit"]
    factor = 100 if unit == "percentunit" else 1
    axes.set_title(panel["title"], fontsize=8, loc="left", fontweight="bold")
    axes.tick_params(labelsize=6)
    shown = [(name, values) for name, values in lines if any(map(_finite, values))]
    if not shown:
        axes.text(0.5, 0.5, "No traffic", ha="center", va="center", fontsize=8, color="gray")
        axes.set_axis_off()
    elif panel["type"] == "stat":
        value = [float(point[1]) for point in shown[0][1] if _finite(point)][-1] * factor
        text = f"{value:.3g}{SUFFIX.get(unit, '')}"
        axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=16)
        axes.set_axis_off()
    elif panel["type"] == "state-timeline":
        _draw_states(axes, shown, end_s)
    else:
        _draw_lines(axes, shown, end_s, factor, SUFFIX.get(unit, ""))


def _finite(point: Sequence[Any]) -> bool:
    return math.isfinite(float(point[1]))


def _draw_lines(
    axes: Axes,
    lines: Sequence[tuple[str, list[list[Any]]]],
    end_s: float,
    factor: float,
    suffix: str,
) -> None:
    for name, values in lines:
        times_s = [float(at) - end_s for at, _ in values]
        axes.plot(times_s, [factor * float(value) for _, value in values], label=name, linewidth=1)
    axes.set_ylim(bottom=0)
    axes.grid(linewidth=0.3)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}{suffix}"))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} s"))
    if any(name for name, _ in lines):
        axes.legend(fontsize=5, loc="upper left", ncols=1 + len(lines) // 5, framealpha=0.3)


def _draw_states(axes: Axes, lines: Sequence[tuple[str, list[list[Any]]]], end_s: float) -> None:
    """A bar for as long as each series is there."""
    for row, (name, values) in enumerate(lines):
        times_s = [float(at) - end_s for at, _ in values]
        axes.scatter(times_s, [row] * len(times_s), marker="s", s=20)
        axes.text(times_s[0], row + 0.25, name, fontsize=6)
    axes.set_yticks([])
    axes.set_ylim(-0.5, len(lines))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} s"))


def render(name: str, prometheus: str, minutes: float, window: str) -> Figure:
    """A whole dashboard."""
    placed = panels(name)
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in placed)
    figure = Figure(figsize=(COLUMNS * WIDTH_IN, rows * HEIGHT_IN))
    for panel in placed:
        axes = figure.add_axes(_place(panel["gridPos"], rows))
        lines = [
            (legend(target["legendFormat"], series["metric"]), series["values"])
            for target in panel["targets"]
            for series in asked(prometheus, expand(target["expr"], window), minutes)
        ]
        draw(axes, panel, lines, time.time())
    return figure


def _place(at: Mapping[str, int], rows: int) -> tuple[float, float, float, float]:
    """Left, bottom, width and height, 0 to 1, with room for the title and the numbers."""
    left, top = at["x"] + 1.1, at["y"] + 1.0
    width, height = at["w"] - 1.4, at["h"] - 2.2
    return left / COLUMNS, 1 - (top + height) / rows, width / COLUMNS, height / rows


def _save(figure: Figure, path: Path) -> None:
    """As a picture of few colours, which a document can carry."""
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DPI)
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(path, optimize=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Write a picture of each dashboard."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090", help="its address")
    parser.add_argument("--minutes", type=float, default=5.0, help="how far to look back")
    parser.add_argument("--window", default="20s", help="rate interval; at least four scrapes")
    parser.add_argument("--out", type=Path, required=True, help="directory for the pictures")
    chosen = parser.parse_args(argv)
    chosen.out.mkdir(parents=True, exist_ok=True)
    mpl.use("agg")
    for path in sorted(DASHBOARDS.glob("*.json")):
        figure = render(path.stem, chosen.prometheus, chosen.minutes, chosen.window)
        _save(figure, chosen.out / f"dashboard_{path.stem}.png")


if __name__ == "__main__":
    main()
