"""Which texts are nearly the same: MinHash finds candidates, the exact overlap decides.

Texts are compared by their runs of five characters, so that Chinese needs no words. Short ones
are only ever compared exactly: two sums differ in one digit and are different problems.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import rensa

RUN_CHARACTERS = 5
LEAST_CHARACTERS = 60
# Hundreds of kilobytes of one document say no more than its beginning.
MOST_CHARACTERS = 20_000
LEAST_OVERLAP = 0.8
PERMUTATIONS = 128
# Finds a pair with an overlap of 0.8 with a probability of 99.9 %.
BANDS = 32
SEED = 1


class Pair(NamedTuple):
    """Two texts that are nearly the same, by position, and the share of runs they have in common."""

    earlier: int
    later: int
    overlap: float


def normalise(text: str) -> str:
    """A text without what two copies of it may differ in: case, width, punctuation, spaces."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\W_]+", " ", plain).strip()


def runs(text: str) -> frozenset[str]:
    """The runs of characters of a normalised text."""
    text = text[:MOST_CHARACTERS]
    return frozenset(text[i : i + RUN_CHARACTERS] for i in range(len(text) - RUN_CHARACTERS + 1))


class Index:
    """Texts that others can be compared with."""

    def __init__(self) -> None:
        self._index = rensa.RMinHashLSH(
            threshold=LEAST_OVERLAP, num_perm=PERMUTATIONS, num_bands=BANDS
        )
        self._runs: dict[int, frozenset[str]] = {}

    def add(self, key: int, text: str) -> None:
        """Add a normalised text, unless it is too short to be compared."""
        if len(text) >= LEAST_CHARACTERS:
            self._runs[key] = runs(text)
            self._index.insert(key, _hashed(self._runs[key]))

    def nearest(self, text: str) -> tuple[int, float] | None:
        """The text most like a normalised one, and the share of runs they have in common."""
        if len(text) < LEAST_CHARACTERS or not self._runs:
            return None
        own = runs(text)
        found = [(key, _overlap(own, self._runs[key])) for key in self._index.query(_hashed(own))]
        best = max(found, key=lambda item: (item[1], -item[0]), default=None)
        return best if best is not None and best[1] >= LEAST_OVERLAP else None


def near_pairs(texts: Sequence[str]) -> Iterator[Pair]:
    """Yield every text that is nearly one before it, with the one it is most like."""
    index = Index()
    for position, text in enumerate(map(normalise, texts)):
        found = index.nearest(text)
        if found is not None:
            yield Pair(found[0], position, found[1])
        index.add(position, text)


def _hashed(own: frozenset[str]) -> rensa.RMinHash:
    hashed = rensa.RMinHash(num_perm=PERMUTATIONS, seed=SEED)
    hashed.update(list(own))
    return hashed


def _overlap(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / len(left | right)
