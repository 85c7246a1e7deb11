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
# Finds a pair with an overlap of 0.8 with a probability of 98.8 %, one of 0.9 nearly always.
PERMUTATIONS = 192
BANDS = 24
# Rows made of one template may all be candidates of each other.
MOST_ESTIMATED = 50
MOST_COMPARED = 3
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
    return frozenset(text[i : i + RUN_CHARACTERS] for i in range(len(text) - RUN_CHARACTERS + 1))


class _Signed(NamedTuple):
    """A normalised text and its MinHash; its runs are made anew when they are needed."""

    text: str
    signature: rensa.RMinHash


class Index:
    """Texts that others can be compared with."""

    def __init__(self) -> None:
        self._index = rensa.RMinHashLSH(
            threshold=LEAST_OVERLAP, num_perm=PERMUTATIONS, num_bands=BANDS
        )
        self._signed: dict[int, _Signed] = {}

    def add(self, key: int, text: str) -> None:
        """Add a text, unless it is too short to be compared."""
        signed = _sign(text)
        if signed is not None:
            self._add(key, signed)

    def _add(self, key: int, signed: _Signed) -> None:
        self._signed[key] = signed
        self._index.insert(key, signed.signature)

    def nearest(self, text: str) -> tuple[int, float] | None:
        """The text most like another, by its key, and the share of runs they have in common."""
        signed = _sign(text)
        return self._nearest(signed) if signed is not None else None

    def _nearest(self, signed: _Signed) -> tuple[int, float] | None:
        candidates = self._index.query(signed.signature)[:MOST_ESTIMATED]
        likely = sorted(
            candidates, key=lambda key: -signed.signature.jaccard(self._signed[key].signature)
        )
        own = runs(signed.text)
        found = [
            (key, _overlap(own, runs(self._signed[key].text))) for key in likely[:MOST_COMPARED]
        ]
        best = max(found, key=lambda item: (item[1], -item[0]), default=None)
        return best if best is not None and best[1] >= LEAST_OVERLAP else None

    def first_alike(self, key: int, text: str) -> tuple[int, float] | None:
        """The text most like another, as `nearest` finds it; without one, the other is added."""
        signed = _sign(text)
        if signed is None:
            return None
        found = self._nearest(signed)
        if found is None:
            self._add(key, signed)
        return found


def near_pairs(texts: Sequence[str]) -> Iterator[Pair]:
    """Yield every text that is nearly one before it, with the first of its kind."""
    index = Index()
    for position, text in enumerate(texts):
        found = index.first_alike(position, text)
        if found is not None:
            yield Pair(found[0], position, found[1])


def _sign(text: str) -> _Signed | None:
    plain = normalise(text[:MOST_CHARACTERS])
    if len(plain) < LEAST_CHARACTERS:
        return None
    signature = rensa.RMinHash(num_perm=PERMUTATIONS, seed=SEED)
    signature.update(list(runs(plain)))
    return _Signed(plain, signature)


def _overlap(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / len(left | right)
