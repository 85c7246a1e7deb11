"""What a book is here: a title, and chapters of paragraphs."""

import functools
import re
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_LETTERS = re.compile(r"[A-Za-z]")
# A Chinese character says as much as several letters.
_CHINESE_WEIGHT = 3


@dataclass(frozen=True)
class Chapter:
    """One chapter; a paragraph has no line breaks and no spaces around it."""

    title: str
    paragraphs: tuple[str, ...]

    @property
    def characters(self) -> int:
        """Its length."""
        return sum(map(len, self.paragraphs))


@dataclass(frozen=True)
class Book:
    """One book.

    Attributes:
        source: The file it was read from, as the user named it.
        licence: What the book says of its licence, empty where it says nothing.
    """

    title: str
    source: str
    licence: str
    chapters: tuple[Chapter, ...]

    @functools.cached_property
    def language(self) -> Language:
        """The language most of it is written in."""
        text = " ".join(
            paragraph for chapter in self.chapters for paragraph in chapter.paragraphs[:50]
        )
        chinese = _CHINESE_WEIGHT * len(_CHINESE.findall(text))
        return "zh" if chinese > len(_LETTERS.findall(text)) else "en"
