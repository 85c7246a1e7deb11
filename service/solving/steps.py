"""The steps of a program while it is being written: each with its value once its line is whole."""

from collections.abc import Iterator

import pseudocode

# Each new line runs the lines before it again, which must not add up.
MAX_LINES = 64
LIMITS = pseudocode.Limits(max_source_bytes=4096, max_steps=1000, timeout_s=0.02)
# Makes of the lines so far a program; its own step is not told.
_END = "\nreturn 0"


class StepReader:
    """Reads a program piece by piece."""

    def __init__(self) -> None:
        self._text = ""
        self._lines = 0
        self._told = 0

    def read(self, piece: str) -> Iterator[pseudocode.Step]:
        """Take in the next piece of text and yield the steps that it completes.

        Lines that cannot be run yet, such as those of an open block, wait for the line that lets
        them; of lines that never run nothing is said here.
        """
        self._text += piece
        lines = self._text.count("\n")
        if lines == self._lines or self._lines >= MAX_LINES:
            return
        self._lines = lines
        finished = self._text.rpartition("\n")[0]
        result = pseudocode.run(finished + _END, LIMITS)
        if result.error is not None:
            # The piece may have brought the return line too.
            result = pseudocode.run(finished, LIMITS)
        if result.error is None:
            yield from result.trace[self._told : -1]
            self._told = max(self._told, len(result.trace) - 1)
