"""How far a draw has come, with the time left; plain lines where nobody watches."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from training.progress import duration

PLAIN_LINES = 20


class Watch:
    """Shows how many questions are done.

    Args:
        console: Where.
        total: Questions.
        before: Those that an earlier run has done.
    """

    def __init__(self, console: Console, total: int, before: int) -> None:
        self._console = console
        self._total, self._before, self._done = total, before, before
        self._started_s = time.monotonic()
        self._bar = Progress(
            TextColumn("drawing"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total} questions  {task.description}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=total, completed=before)

    @contextmanager
    def showing(self) -> Iterator["Watch"]:
        """Show the bar until the block ends."""
        if self._before:
            self._console.print(f"{self._before} of {self._total} questions were drawn before")
        with self._bar:
            yield self

    def step(self) -> None:
        """Count one question."""
        self._done += 1
        spent_s = time.monotonic() - self._started_s
        left_s = spent_s / (self._done - self._before) * (self._total - self._done)
        text = f"{duration(left_s)} left"
        self._bar.update(self._task, completed=self._done, description=text)
        every = max(1, self._total // PLAIN_LINES)
        if not self._console.is_terminal and self._done % every == 0:
            self._console.print(f"{self._done}/{self._total} questions, {text}")
