"""Medians are read from histograms as Prometheus would."""

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from demo.service_metrics import _median


def exposition(values: list[float]) -> str:
    registry = CollectorRegistry()
    histogram = Histogram(
        "took_seconds", "took", ["adapter", "route"], registry=registry, buckets=[1, 2, 4, 8]
    )
    for index, value in enumerate(values):
        histogram.labels("a", f"/{index % 2}").observe(value)
    histogram.labels("b", "/").observe(100)
    return generate_latest(registry).decode()


def test_the_median_is_interpolated_inside_its_bucket_over_all_series_that_match() -> None:
    assert _median(exposition([0.5, 1.5, 1.5, 3]), "took_seconds", {"adapter": "a"}) == 1.5


def test_beyond_the_last_bound_the_last_bound_is_returned() -> None:
    assert _median(exposition([9, 9, 9]), "took_seconds", {"adapter": "a"}) == 8


def test_a_series_without_observations_is_an_error_not_a_zero() -> None:
    with pytest.raises(ValueError, match=r"no observation of took_seconds with .*c"):
        _median(exposition([1]), "took_seconds", {"adapter": "c"})
