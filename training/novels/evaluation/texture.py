"""What can be counted in a continuation: variety, repetition, copying, length, its end.

A unit is a word or a mark, or one Chinese character.
"""

import re
from collections.abc import Sequence

from pydantic import BaseModel

from training.evaluate import Share, wilson
from training.novels.evaluation.writing import Written
from training.tasks.continuation import ends_a_sentence

_UNIT = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+(?:['’][^\W\u3400-\u9fff]+)*|[^\w\s]")
# Longer texts repeat more of their words, so variety is counted over as much of each.
COMPARED_UNITS = 100
REPEATED = 4


class Texture(BaseModel):
    """Means over continuations.

    Attributes:
        texts: How many.
        distinct: Different n-grams of units per n-gram, for n of 1, 2 and 3, in the first 100 units.
        repeated: Share of the 4-grams of units that stood in the text before.
        characters: Their length.
        characters_asked: The length of what stands in the book.
        ended: Those that end by themselves before their limit.
        whole: Those that end where a sentence does.
        shared_characters: The longest stretch that the training text has too; `None` if unknown.
        longest_shared: The longest stretch of all.
    """

    texts: int
    distinct: tuple[float, float, float]
    repeated: float
    characters: float
    characters_asked: float
    ended: Share
    whole: Share
    shared_characters: float | None
    longest_shared: str | None

    def distance(self, other: "Texture") -> float:
        """How far variety and repetition are from another's: the mean absolute difference."""
        pairs = zip((*self.distinct, self.repeated), (*other.distinct, other.repeated), strict=True)
        return sum(abs(one - another) for one, another in pairs) / 4


def texture_of(
    written: Sequence[Written], asked: Sequence[int], shared: Sequence[str] | None
) -> Texture:
    """Count.

    Args:
        written: Continuations, at least one.
        asked: Characters of what stands in the book, in the same order.
        shared: The longest stretch of each that the training text has, if it is known.
    """
    texts = [each.text for each in written]
    counted = [units(text) for text in texts]
    one, two, three = (
        _mean([distinct(each[:COMPARED_UNITS], n) for each in counted]) for n in (1, 2, 3)
    )
    return Texture(
        texts=len(texts),
        distinct=(one, two, three),
        repeated=_mean([1 - distinct(each, REPEATED) for each in counted]),
        characters=_mean([len(text) for text in texts]),
        characters_asked=_mean(asked),
        ended=wilson(sum(each.ended for each in written), len(written)),
        whole=wilson(sum(map(ends_a_sentence, texts)), len(texts)),
        shared_characters=None if shared is None else _mean([len(each) for each in shared]),
        longest_shared=None if shared is None else max(shared, key=len),
    )


def units(text: str) -> list[str]:
    """The words and marks of a text, in lower case; each Chinese character is one."""
    return _UNIT.findall(text.lower())


def distinct(sequence: Sequence[str], n: int) -> float:
    """Different n-grams per n-gram (Li et al., arXiv 1510.03055); 1 where there is none."""
    grams = [tuple(sequence[start : start + n]) for start in range(len(sequence) - n + 1)]
    return len(set(grams)) / len(grams) if grams else 1.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
