"""Latency and speed of one model, read from the service's own `/metrics`."""

from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

LATENCY = "loradock_request_duration_seconds"
SPEED = "loradock_output_tokens_per_second"


@dataclass(frozen=True)
class Timing:
    """Medians over requests: seconds from request to last token, output tokens per second."""

    median_latency_s: float
    tokens_per_s: float


def read_timing(url: str, adapter: str, version: str) -> Timing:
    """Read the medians of one adapter version since the service started.

    Args:
        url: Root of the service.
        adapter: The adapter's name, or `base`.
        version: Its version number, or `base`.
    """
    text = httpx.get(f"{url}/metrics", timeout=30.0).raise_for_status().text
    labels = {"adapter": adapter, "version": version}
    return Timing(_median(text, LATENCY, labels), _median(text, SPEED, labels))


def _median(exposition: str, name: str, labels: dict[str, str]) -> float:
    """Interpolate the median of a histogram, as Prometheus' `histogram_quantile(0.5, …)` does."""
    buckets: dict[float, float] = {}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            if sample.name == f"{name}_bucket" and labels.items() <= sample.labels.items():
                bound = float(sample.labels["le"])
                buckets[bound] = buckets.get(bound, 0.0) + sample.value
    if not buckets or not max(buckets.values()):
        raise ValueError(f"/metrics has no observation of {name} with {labels}")
    half = max(buckets.values()) / 2
    lower, below = 0.0, 0.0
    for bound, count in sorted(buckets.items()):
        if count >= half:
            return (
                lower
                if bound == float("inf")
                else (lower + (bound - lower) * (half - below) / (count - below))
            )
        lower, below = bound, count
    raise AssertionError("a cumulative histogram reaches its total")
