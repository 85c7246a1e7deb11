"""Intervals against published values, and the curve of selective answering."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks._intervals import risk_coverage, threshold_for, wilson


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    # Newcombe 1998, table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_those_of_the_literature(
    hits: int, trials: int, low: float, high: float
) -> None:
    found = wilson(hits, trials)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500), st.data())
def test_an_interval_holds_its_share(trials: int, data: st.DataObject) -> None:
    found = wilson(data.draw(st.integers(0, trials)), trials)
    slack = 1e-12
    assert 0 <= found.low <= found.share + slack <= found.high + 2 * slack <= 1 + 2 * slack


def test_nothing_is_known_without_a_trial() -> None:
    assert wilson(0, 0) == (0.0, 0.0, 1.0)


def test_the_curve_goes_from_strict_to_lenient() -> None:
    judged = [(0.9, True), (0.6, False), (0.9, True), (0.6, True), (0.2, False)]
    points = risk_coverage(judged, questions=10)
    assert points == [(0.9, 0.2, 0.0), (0.6, 0.4, 0.25), (0.2, 0.5, 0.4)]
    assert threshold_for(points, 0.3) == (0.6, 0.4, 0.25)
    assert threshold_for(points[1:], 0.1) is None
