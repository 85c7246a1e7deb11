"""Cut chapters into openings and continuations, at the ends of sentences and never inside speech."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from training.novels.books import Chapter

_SENTENCE_END = re.compile(r"[.!?…。！？．]+[\"'”’」』）)]*(?=\s|$|[\u3400-\u9fff“「『])")
_OPENING_QUOTES = "“「『"
_CLOSING_QUOTES = "”」』"
# How far the end of a piece may be from the length that was asked for.
_TOLERANCE = 0.4


@dataclass(frozen=True)
class Pair:
    """An opening and what follows it, with line breaks between paragraphs."""

    opening: str
    continuation: str


def pairs(
    chapter: Chapter, *, opening_characters: int, continuation_characters: int, draw: random.Random
) -> Iterator[Pair]:
    """Yield pairs that follow one another through a chapter; each text is in one continuation at most.

    The lengths vary by a fifth around what is asked, so that no model learns one length by heart.
    """
    sentences = list(_sentences(chapter.paragraphs))
    start = 0
    opening, start = _take(sentences, start, _vary(opening_characters, draw))
    while opening:
        continuation, start = _take(sentences, start, _vary(continuation_characters, draw))
        if not continuation:
            return
        yield Pair(opening, continuation)
        # What was told last is the opening of what comes next.
        opening = _last(f"{opening}\n{continuation}", opening_characters)


def _vary(characters: int, draw: random.Random) -> int:
    return round(characters * draw.uniform(0.8, 1.2))


def _take(sentences: Sequence[str], start: int, characters: int) -> tuple[str, int]:
    """Return sentences of about a length, and where the next one begins; nothing if too few are left."""
    text, at = "", start
    while at < len(sentences) and (len(text) < characters or _speech_is_open(text)):
        text += sentences[at]
        at += 1
        if len(text) > characters * (1 + _TOLERANCE) and not _speech_is_open(text):
            break
    if len(text) < characters * (1 - _TOLERANCE) or _speech_is_open(text):
        return "", start
    return text.strip(), at


def _last(text: str, characters: int) -> str:
    """Return the end of a text from the beginning of a sentence on."""
    sentences = list(_sentences(text.split("\n")))
    kept: list[str] = []
    for sentence in reversed(sentences):
        joined = "".join([sentence, *kept])
        if kept and len(joined) > characters * 1.2 and not _speech_is_open("".join(kept)):
            break
        kept.insert(0, sentence)
    return "".join(kept).strip()


def _sentences(paragraphs: Sequence[str]) -> Iterator[str]:
    """Yield sentences with the space or line break after them."""
    for paragraph in paragraphs:
        start = 0
        ends = [match.end() for match in _SENTENCE_END.finditer(paragraph)]
        for end in ends:
            stop = end + (len(paragraph) > end and paragraph[end] == " ")
            if stop < len(paragraph):
                yield paragraph[start:stop]
                start = stop
        yield paragraph[start:] + "\n"


def _speech_is_open(text: str) -> bool:
    """Whether somebody is still speaking where a text ends."""
    last = max((text.rfind(quote) for quote in _OPENING_QUOTES), default=-1)
    closed = max((text.rfind(quote) for quote in _CLOSING_QUOTES), default=-1)
    # A paragraph that opens a quotation without closing it is followed by one that goes on with it.
    return last > closed and "\n" not in text[last:]
