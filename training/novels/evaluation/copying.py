"""The longest stretch of each text that stands word for word in the training text.

A suffix automaton of the short texts reads the long one once, so five million characters take
seconds (Blumer et al., The smallest automaton recognizing the subwords of a text, 1985).
"""

import re
from collections.abc import Sequence

_SPACE = re.compile(r"\s+")
# In no text that is read here, so no stretch goes over the end of one.
_BORDER = "\0"


def longest_shared(texts: Sequence[str], training_text: str) -> list[str]:
    """Find the longest stretch of each text that the training text has too; white space is one space."""
    flat = [_flatten(text) for text in texts]
    automaton = _Automaton(_BORDER.join(flat))
    automaton.read(_flatten(training_text))
    found = iter(automaton.shared())
    return [_longest([next(found) for _ in text + _BORDER], text) for text in flat]


def _flatten(text: str) -> str:
    return _SPACE.sub(" ", text.replace(_BORDER, " ")).strip()


def _longest(shared: Sequence[int], text: str) -> str:
    length, end = max((length, -place) for place, length in enumerate(shared))
    return text[1 - end - length : 1 - end]


class _Automaton:
    """All substrings of a text; a state stands for those that end at the same places."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._after: list[dict[str, int]] = [{}]
        self._link = [-1]
        self._length = [0]
        last = 0
        for letter in text:
            last = self._append(letter, last)
        self._read = [0] * len(self._link)

    def _append(self, letter: str, last: int) -> int:
        new = self._state({}, 0, self._length[last] + 1)
        at = last
        while at >= 0 and letter not in self._after[at]:
            self._after[at][letter] = new
            at = self._link[at]
        if at < 0:
            return new
        there = self._after[at][letter]
        if self._length[there] == self._length[at] + 1:
            self._link[new] = there
            return new
        copy = self._state(dict(self._after[there]), self._link[there], self._length[at] + 1)
        while at >= 0 and self._after[at].get(letter) == there:
            self._after[at][letter] = copy
            at = self._link[at]
        self._link[there] = self._link[new] = copy
        return new

    def _state(self, after: dict[str, int], link: int, length: int) -> int:
        self._after.append(after)
        self._link.append(link)
        self._length.append(length)
        return len(self._link) - 1

    def read(self, other: str) -> None:
        """Note for each state how long a stretch of another text ends in it."""
        after, link, lengths, read = self._after, self._link, self._length, self._read
        state = length = 0
        for letter in other:
            while state and letter not in after[state]:
                state = link[state]
                length = lengths[state]
            if letter in after[state]:
                state = after[state][letter]
                length += 1
                if length > read[state]:
                    read[state] = length

    def shared(self) -> list[int]:
        """For each place of the text, how long a stretch that was read ends with it; and one 0."""
        by_length = sorted(range(1, len(self._link)), key=self._length.__getitem__)
        # A stretch that was read was read with all its endings.
        for state in reversed(by_length):
            parent = self._link[state]
            if self._read[state] and parent:
                self._read[parent] = self._length[parent]
        for state in by_length:
            self._read[state] = self._read[state] or self._read[self._link[state]]
        found, state = [], 0
        for letter in self._text:
            state = self._after[state][letter]
            found.append(self._read[state])
        return [*found, 0]
