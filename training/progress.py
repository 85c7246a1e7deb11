"""A progress bar with the loss, the speed and the time left; plain lines where nobody watches."""

import time
from collections.abc import Callable, Iterator
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


class Watch:
    """Shows each step of a run; call it with a report."""

    def __init__(self, console: Console, total_steps: int, total_tokens: int) -> None:
        self._console = console
        self._total_steps = total_steps
        self._total_tokens = total_tokens
        self._tokens = 0
        self._loss: float | None = None
        self._started = time.monotonic()
        self._first_step: int | None = None
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total} steps  {task.description}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=total_steps)

    @contextmanager
    def showing(self) -> Iterator["Watch"]:
        """Show the bar until the block ends."""
        self._started = time.monotonic()
        with self._bar:
            yield self

    def __call__(self, report: StepReport) -> None:
        """Show one step."""
        self._first_step = self._first_step or report.step
        self._tokens += report.tokens
        before = report.loss if self._loss is None else self._loss
        self._loss = SMOOTHING * before + (1 - SMOOTHING) * report.loss
        elapsed_s = time.monotonic() - self._started
        done = report.step - self._first_step + 1
        left_s = elapsed_s / done * (self._total_steps - report.step)
        text = (
            f"loss {self._loss:.3f}  {self._tokens / elapsed_s:,.0f} tokens/s  "
            f"{duration(left_s)} left"
        )
        self._bar.update(self._task, completed=report.step, description=text)
        if done == REFINED_AFTER_STEPS:
            whole_s = elapsed_s / done * self._total_steps
            self._console.print(f"After {done} steps: about {duration(whole_s)} in all")
        every = max(1, self._total_steps // PLAIN_LINES)
        if not self._console.is_terminal and report.step % every == 0:
            self._console.print(f"step {report.step}/{self._total_steps}  {text}")


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
