"""How sure a share is, and what abstaining buys: intervals and the risk-coverage curve."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from training import evaluate


class Interval(NamedTuple):
    """A share between 0 and 1 with its bounds."""

    share: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:.1%} to {self.high:.1%}"


def wilson(hits: int, trials: int) -> Interval:
    """The share of hits with its 95 % interval (Wilson 1927); without trials anything is possible."""
    found = evaluate.wilson(hits, trials)
    return Interval(found.share, found.low, found.high)


class Point(NamedTuple):
    """What answering only from some confidence on gives.

    Attributes:
        threshold: The least confidence that is answered.
        coverage: Share of all questions that are answered then.
        risk: Share of those that are answered wrong.
    """

    threshold: float
    coverage: float
    risk: float


def risk_coverage(judged: Iterable[tuple[float, bool]], questions: int) -> list[Point]:
    """The curve of selective answering (El-Yaniv and Wiener 2010), the strictest threshold first.

    Args:
        judged: Confidence and whether it is right, for each question with any answer.
        questions: How many there are, those without any answer included.
    """
    ordered = sorted(judged, key=lambda pair: -pair[0])
    points = []
    wrong = 0
    for place, (confidence, right) in enumerate(ordered, start=1):
        wrong += not right
        last = place == len(ordered) or ordered[place][0] < confidence
        if last:
            points.append(Point(confidence, place / questions, wrong / place))
    return points


def threshold_for(points: Sequence[Point], max_risk: float) -> Point | None:
    """The point of the greatest coverage whose risk is no higher than `max_risk`."""
    allowed = [point for point in points if point.risk <= max_risk]
    return max(allowed, key=lambda point: point.coverage, default=None)
