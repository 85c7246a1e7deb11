"""How long rows are: figures, a histogram as text and as a picture, what a limit would cut."""

import itertools
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from training.encode import IGNORED, Example

BINS = 12
BAR_CHARACTERS = 40
# No tokenizer puts more into a token on average, so this many are surely needed.
MOST_LATIN_PER_TOKEN = 8
MOST_HAN_PER_TOKEN = 3
_HAN = re.compile(r"[\u3400-\u9fff]")


class Lengths(NamedTuple):
    """Lengths of rows in figures."""

    least: int
    median: int
    p95: int
    most: int
    total: int


def figures(lengths: Sequence[int]) -> Lengths | None:
    """Sum up lengths, `None` if there are none."""
    if not lengths:
        return None
    ordered = sorted(lengths)
    late = ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    return Lengths(ordered[0], ordered[len(ordered) // 2], late, ordered[-1], sum(ordered))


class Cut(NamedTuple):
    """What cutting rows at a limit would lose; training leaves such rows out instead.

    Attributes:
        rows: Rows that are longer; all of them would lose the end-of-text token.
        tokens: Tokens beyond the limit.
        rows_without_output: Of the rows, those whose whole output lies beyond it.
    """

    rows: int
    tokens: int
    rows_without_output: int


def cut_at(examples: Sequence[Example], max_length_tokens: int) -> Cut:
    """Work out what cutting examples at a limit would lose."""
    longer = [item for item in examples if len(item.input_ids) > max_length_tokens]
    lost = sum(len(item.input_ids) - max_length_tokens for item in longer)
    silent = sum(
        all(label == IGNORED for label in item.labels[:max_length_tokens]) for item in longer
    )
    return Cut(len(longer), lost, silent)


def surely_tokens(text: str) -> int:
    """How many tokens a text needs with any tokenizer, at least."""
    han = len(_HAN.findall(text))
    return han // MOST_HAN_PER_TOKEN + (len(text) - han) // MOST_LATIN_PER_TOKEN


def histogram(lengths: Sequence[int], unit: str) -> str:
    """Draw how many rows have which length, a line a bin."""
    edges = _edges(lengths)
    counts = [
        sum(low <= length < high for length in lengths) for low, high in itertools.pairwise(edges)
    ]
    width = len(f"{edges[-1]:,}")
    return "\n".join(
        f"  {low:>{width},} to {high - 1:>{width},} {unit} {'█' * _bar(count, max(counts))} {count}"
        for (low, high), count in zip(itertools.pairwise(edges), counts, strict=True)
    )


def _bar(count: int, most: int) -> int:
    return math.ceil(count / most * BAR_CHARACTERS) if most else 0


def _edges(lengths: Sequence[int]) -> list[int]:
    low, high = min(lengths), max(lengths) + 1
    step = max(1, math.ceil((high - low) / BINS))
    return list(range(low, high + step, step))


def plot(lengths: Sequence[int], unit: str, limit: int | None, path: Path) -> None:
    """Draw the histogram as a picture.

    Args:
        lengths: Of the rows.
        unit: What they are counted in.
        limit: Where rows are left out, marked by a line.
        path: A .png file; its directory must exist.

    Raises:
        OSError: It cannot be written.
    """
    # Half a second, which most checks do without.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(7, 4), dpi=120)
    axes = figure.add_subplot()
    axes.hist(lengths, bins=40)
    axes.set_xlabel(f"{unit} per row")
    axes.set_ylabel("rows")
    if limit is not None:
        axes.axvline(limit, linestyle="--", color="black")
    FigureCanvasAgg(figure).print_png(path)
