"""A progress bar with the time left, and what training says beside it; plain lines where nobody watches."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from training.job import Finding, StepReport

# Lines of a run whose output goes into a file.
PLAIN_LINES = 10
SMOOTHING = 0.9
SAMPLE_CHARACTERS = 120
# By then the first, slow steps no longer count for much.
REFINED_AFTER_STEPS = 20


class Bar:
    """Counts up to a total; what an earlier run has counted does not enter into the time left.

    Args:
        console: Where.
        doing: What takes so long.
        total: How far to count.
        unit: What is counted.
    """

    def __init__(self, console: Console, doing: str, total: int, unit: str) -> None:
        self._console = console
        self._total, self._unit = total, unit
        self._before: int | None = None
        self._started_s = time.monotonic()
        self._bar = Progress(
            TextColumn(doing),
            BarColumn(),
            TextColumn(f"{{task.completed}}/{{task.total}} {unit}  {{task.description}}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=total)

    @property
    def elapsed_s(self) -> float:
        """Seconds since it was shown."""
        return time.monotonic() - self._started_s

    @contextmanager
    def showing(self) -> Iterator["Bar"]:
        """Show the bar until the block ends."""
        self._started_s = time.monotonic()
        with self._bar:
            yield self

    def show(self, done: int, text: str = "") -> None:
        """Show how much is done, counted one by one, what there is to say of it, and the time left."""
        if self._before is None:
            self._before = done - 1
        left_s = self.elapsed_s / (done - self._before) * (self._total - done)
        text = f"{text}{duration(left_s)} left"
        self._bar.update(self._task, completed=done, description=text)
        every = max(1, self._total // PLAIN_LINES)
        if not self._console.is_terminal and done % every == 0:
            self._console.print(f"{done}/{self._total} {self._unit}  {text}")


class Watch:
    """Shows each step of a run; call it with a report.

    Args:
        console: Where.
        step_tokens: The tokens of every step that is planned, in order.
    """

    def __init__(self, console: Console, step_tokens: Sequence[int]) -> None:
        self._console = console
        self._planned_tokens = sum(step_tokens)
        self._steps = self._tokens = 0
        self._loss: float | None = None
        self._bar = Bar(console, "training", len(step_tokens), "steps")

    @contextmanager
    def showing(self) -> Iterator["Watch"]:
        """Show the bar until the block ends."""
        with self._bar.showing():
            yield self

    def __call__(self, report: StepReport) -> None:
        """Show one step."""
        self._steps += 1
        self._tokens += report.tokens
        before = report.loss if self._loss is None else self._loss
        self._loss = SMOOTHING * before + (1 - SMOOTHING) * report.loss
        elapsed_s = self._bar.elapsed_s
        self._bar.show(
            report.step, f"loss {self._loss:.3f}  {self._tokens / elapsed_s:,.0f} tokens/s  "
        )
        if self._steps == REFINED_AFTER_STEPS:
            # By tokens: the first steps may happen to hold many of the long rows.
            whole_s = elapsed_s / self._tokens * self._planned_tokens
            self._console.print(f"After {self._steps} steps: about {duration(whole_s)} in all")


def tell_finding(console: Console, metric: str | None) -> Callable[[Finding, list[str]], None]:
    """Make a function that prints evaluations, with sample answers."""

    def tell(finding: Finding, samples: list[str]) -> None:
        score = "" if finding.score is None else f", {metric} {finding.score:.3f}"
        console.print(f"Held out after step {finding.step}: loss {finding.loss:.3f}{score}")
        for sample in samples:
            shown = sample.strip().replace("\n", " / ")[:SAMPLE_CHARACTERS]
            console.print(f"  answered: {shown}", markup=False)

    return tell


def duration(seconds: float) -> str:
    """Say a time as people do."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
