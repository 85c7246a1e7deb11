"""A text that is longer than what a model can read, and the part of it that the model is shown.

The beginning is carried along, so that names and manner stay known; then comes the last part, from
the beginning of a paragraph or sentence on. Knows nothing of engines.
"""

import re

_SENTENCE_END = re.compile(r"[.!?…。！？]+[\"'”’」』）)]*(?:\s+|$|(?=[\u3400-\u9fff“「『]))")
_AT_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’」』）)]*[ \t]*\Z")
# How much of a part may be given up so that it begins or ends where a sentence does.
_GIVEN_UP = 0.5
# Where the part shown becomes too long, this much of it stays: until it has grown again it begins
# at one place, and an engine that keeps prefixes reads only what is new.
_KEPT = 0.5


class Manuscript:
    """A text that grows, and the window on it.

    Args:
        text: Its beginning.
        window_characters: Longest part to be shown.
        head_characters: How much of the beginning is carried along.
    """

    def __init__(self, text: str, window_characters: int, head_characters: int) -> None:
        self.text = text
        self._beginning = text
        self._head_characters = head_characters
        self._start = 0
        self.narrow_to(window_characters)

    def narrow_to(self, window_characters: int) -> None:
        """Show no more than so many characters from now on."""
        self.window_characters = window_characters
        self._head = _head(self._beginning, min(self._head_characters, window_characters // 4))

    def ends_a_sentence(self) -> bool:
        """Whether it ends where a sentence does, and not in a new line already."""
        return _AT_SENTENCE_END.search(self.text) is not None

    def window(self) -> str:
        """The whole text while it fits; then its beginning and its last part."""
        if self._shown() > self.window_characters:
            room = self.window_characters - len(self._head) - 1
            self._start = _start_of_part(self.text, len(self.text) - int(room * _KEPT))
        tail = self.text[self._start :]
        return f"{self._head}\n{tail}" if self._start else tail

    def _shown(self) -> int:
        carried = len(self._head) + 1 if self._start else 0
        return carried + len(self.text) - self._start


def _head(text: str, characters: int) -> str:
    """The beginning of a text, up to the last end of a sentence in it if that is not far."""
    if not characters:
        return ""
    part = text[:characters]
    ends = [match.end() for match in _SENTENCE_END.finditer(part)]
    if len(text) <= characters or not ends or ends[-1] < characters * _GIVEN_UP:
        return part.rstrip()
    return part[: ends[-1]].rstrip()


def _start_of_part(text: str, earliest: int) -> int:
    """The first paragraph after a place, or else sentence, if one begins within reach."""
    reach = earliest + int((len(text) - earliest) * _GIVEN_UP)
    paragraph = text.find("\n", earliest, reach)
    if paragraph >= 0:
        return paragraph + 1
    sentence = _SENTENCE_END.search(text, earliest, reach)
    return sentence.end() if sentence else earliest
