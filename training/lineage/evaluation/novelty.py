"""How much of a text was in the training text: shared n-grams, and the longest stretch copied."""

import re
from collections.abc import Iterable, Sequence

from pydantic import BaseModel

N = 5
_WORD = re.compile(r"\w+|[^\w\s]")


class Novelty(BaseModel):
    """What is new about a text.

    Attributes:
        new_share: Share of its n-grams of five words that no training text has.
        longest_copied_words: Longest stretch of words found in one training text.
    """

    new_share: float
    longest_copied_words: int


class TrainingText:
    """The n-grams of training texts, to hold others against."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = [_words(text) for text in texts]
        self._places: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        for number, words in enumerate(self._texts):
            for place in range(len(words) - N + 1):
                self._places.setdefault(tuple(words[place : place + N]), []).append((number, place))

    def novelty_of(self, text: str) -> Novelty:
        """Hold one text against all of them; a text below five words is wholly new."""
        words = _words(text)
        grams = [tuple(words[place : place + N]) for place in range(len(words) - N + 1)]
        new = sum(gram not in self._places for gram in grams)
        longest = max(
            (self._run(words, place, gram) for place, gram in enumerate(grams)), default=0
        )
        return Novelty(new_share=new / len(grams) if grams else 1.0, longest_copied_words=longest)

    def _run(self, words: Sequence[str], start: int, gram: tuple[str, ...]) -> int:
        """Words copied from one place on, over all places where the n-gram stands."""
        longest = 0
        for number, place in self._places.get(gram, []):
            length = N
            text = self._texts[number]
            while (
                start + length < len(words)
                and place + length < len(text)
                and words[start + length] == text[place + length]
            ):
                length += 1
            longest = max(longest, length)
        return longest


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
