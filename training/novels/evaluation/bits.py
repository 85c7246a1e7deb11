"""Bits per character of held-out text, with intervals over chapters. Numbers in, numbers out.

Rows of a chapter resemble one another, so whole chapters are drawn again, not rows.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from training.errors import EvaluationFailed

RESAMPLES = 10_000


class Interval(BaseModel):
    """A value with the 2.5 and 97.5 percentiles of resampled chapters."""

    value: float
    low: float
    high: float


class Difference(BaseModel):
    """How much less one model needs than another; the same chapters for both in every resample.

    Attributes:
        of: Which model.
        against: Which other.
        saved: Bits per character that `of` saves; positive is better.
    """

    of: str
    against: str
    saved: Interval


class Bits(BaseModel):
    """Bits per character of each model on the same text."""

    chapters: int
    rows: int
    characters: int
    models: dict[str, Interval]
    differences: list[Difference]


def compare(
    nats: Mapping[str, Sequence[float]], characters: Sequence[int], chapters: Sequence[str]
) -> Bits:
    """Compare models on the same rows.

    Args:
        nats: For each model the negative log-probability of each row's text.
        characters: Of each row's text.
        chapters: Which chapter each row is of.

    Raises:
        EvaluationFailed: The rows are all of one chapter.
    """
    names = sorted(set(chapters))
    if len(names) < 2:
        raise EvaluationFailed(
            f"the {len(chapters)} rows are of {len(names)} chapter(s); expected two or more, which "
            "intervals are drawn from. Give more held-out rows, or a larger --limit."
        )
    place = {name: at for at, name in enumerate(names)}
    index = np.array([place[chapter] for chapter in chapters])
    drawn = np.random.default_rng(0).integers(0, len(names), (RESAMPLES, len(names)))
    lengths = np.bincount(index, weights=np.asarray(characters, float))
    resampled = {
        name: _per_character(np.bincount(index, weights=np.asarray(values, float)), lengths, drawn)
        for name, values in nats.items()
    }
    whole = {
        name: math.fsum(values) / math.log(2) / sum(characters) for name, values in nats.items()
    }
    return Bits(
        chapters=len(names),
        rows=len(chapters),
        characters=sum(characters),
        models={name: _interval(whole[name], resampled[name]) for name in nats},
        differences=[
            Difference(
                of=of,
                against=against,
                saved=_interval(whole[against] - whole[of], resampled[against] - resampled[of]),
            )
            for against, of in combinations(nats, 2)
        ],
    )


def _per_character(nats: NDArray[Any], lengths: NDArray[Any], drawn: NDArray[Any]) -> NDArray[Any]:
    bits: NDArray[Any] = nats[drawn].sum(1) / lengths[drawn].sum(1) / math.log(2)
    return bits


def _interval(value: float, resampled: NDArray[Any]) -> Interval:
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Interval(value=value, low=float(low), high=float(high))
