"""Lengths are summed up, drawn, and what a limit would cut is worked out."""

from pathlib import Path

from training import lengths
from training.encode import IGNORED, Example


def example(prompt: int, output: int) -> Example:
    return Example(2, [1] * (prompt + output), [IGNORED] * prompt + [1] * output)


def test_figures_of_lengths() -> None:
    assert lengths.figures([3, 1, 2]) == (1, 2, 3, 3, 6)
    assert lengths.figures([]) is None


def test_a_histogram_counts_every_row_once() -> None:
    drawn = lengths.histogram([1, 1, 1, 50, 100], "tokens")
    counts = [int(line.rsplit(" ", 1)[1]) for line in drawn.splitlines()]
    assert sum(counts) == 5
    assert counts[0] == 3
    assert drawn.splitlines()[0].count("█") == lengths.BAR_CHARACTERS
    assert lengths.histogram([7], "tokens").endswith(" 1")


def test_what_a_limit_would_cut() -> None:
    found = lengths.cut_at([example(2, 3), example(4, 6), example(9, 2)], 8)
    assert found == lengths.Cut(rows=2, tokens=5, rows_without_output=1)


def test_only_what_is_surely_longer_is_called_so() -> None:
    assert lengths.surely_tokens("word " * 8) == 5
    assert lengths.surely_tokens("三个苹果") == 1


def test_the_picture_is_a_png(tmp_path: Path) -> None:
    path = tmp_path / "lengths.png"
    lengths.plot([1, 2, 3], "tokens", 2, path)
    assert path.read_bytes().startswith(b"\x89PNG")
