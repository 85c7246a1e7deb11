"""Intervals are those of chapters drawn again, and a difference is of the same chapters."""

import math

import pytest

from training.errors import EvaluationFailed
from training.novels.evaluation.bits import compare

LN2 = math.log(2)


def test_bits_are_counted_over_all_characters_and_not_averaged_over_rows() -> None:
    found = compare({"base": [100 * LN2, 20 * LN2]}, [100, 10], ["one", "two"])
    assert found.models["base"].value == pytest.approx(120 / 110)
    assert (found.chapters, found.rows, found.characters) == (2, 2, 110)


def test_two_chapters_give_what_three_equal_draws_of_them_can() -> None:
    found = compare({"base": [100 * LN2, 300 * LN2]}, [100, 100], ["one", "two"]).models["base"]
    # Both times one (1/4), both (1/2), both times two (1/4).
    assert (found.low, found.value, found.high) == (1, 2, 3)


def test_a_steady_difference_is_certain_where_the_values_are_not() -> None:
    base = [100.0 * LN2, 150.0 * LN2, 400.0 * LN2]
    adapter = [value - 10 * LN2 for value in base]
    found = compare({"base": base, "adapter": adapter}, [100] * 3, ["a", "b", "c"])
    (difference,) = found.differences
    assert (difference.of, difference.against) == ("adapter", "base")
    assert difference.saved.low == pytest.approx(0.1)
    assert difference.saved.high == pytest.approx(0.1)
    assert found.models["base"].low < found.models["adapter"].high


def test_rows_of_one_chapter_are_drawn_together() -> None:
    values = [100 * LN2, 300 * LN2, 200 * LN2, 200 * LN2]
    together = compare({"base": values}, [100] * 4, ["a", "a", "b", "b"]).models["base"]
    assert (together.low, together.high) == (2, 2)
    apart = compare({"base": values}, [100] * 4, ["a", "b", "c", "d"]).models["base"]
    assert apart.low < 2 < apart.high


def test_one_chapter_is_refused() -> None:
    with pytest.raises(EvaluationFailed, match=r"2 rows are of 1 chapter.*two or more"):
        compare({"base": [1.0, 2.0]}, [10, 10], ["same", "same"])
