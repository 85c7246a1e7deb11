"""Whether something grows: the slope of a line through measurements, with its interval."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from training.evaluate import Z_95


class Slope(NamedTuple):
    """How much a value grows for each unit of the other, and between what for 95 %."""

    middle: float
    low: float
    high: float

    @property
    def flat(self) -> bool:
        """Whether no growth is as likely as any."""
        return self.low <= 0 <= self.high


def slope(points: Sequence[tuple[float, float]]) -> Slope:
    """The least squares line through (at, value), its interval by the normal distribution.

    Measurements that hang together make the interval narrower than it should be, so that a growth
    may be seen where there is none, and not the other way round.

    Args:
        points: Three or more, at different places.
    """
    count = len(points)
    mean_at = sum(at for at, _ in points) / count
    mean = sum(value for _, value in points) / count
    spread = sum((at - mean_at) ** 2 for at, _ in points)
    middle = sum((at - mean_at) * (value - mean) for at, value in points) / spread
    left = sum((value - mean - middle * (at - mean_at)) ** 2 for at, value in points)
    half = Z_95 * math.sqrt(left / (count - 2) / spread)
    return Slope(middle, middle - half, middle + half)
