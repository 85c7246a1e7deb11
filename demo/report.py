"""What the tour found: typed, as a table for people and as JSON for programs."""

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

LANGUAGES = {"en": "English", "zh": "Chinese"}
SPLITS = {"seen": "trained templates, new numbers", "unseen": "templates never trained"}


class Count(BaseModel):
    """How many questions were asked, and how many executed answers were right."""

    n: int
    right: int

    @property
    def share(self) -> float:
        """Right answers per question; 0 when nothing was asked."""
        return self.right / self.n if self.n else 0.0


class ByTemplate(BaseModel):
    """One language, trained and untrained templates apart."""

    seen: Count
    unseen: Count


class Asked(BaseModel):
    """One model's answers to the held-out questions.

    Attributes:
        n: Questions.
        executed: Programs that ran to an answer; the rest abstained.
        right: Answers equal to the gold answer.
        en: English questions.
        zh: Chinese questions.
        median_latency_s: Median time from request to last token, by the service's own histogram.
        tokens_per_s: Output tokens per second of one request, median, by the same source.
    """

    n: int
    executed: int
    right: int
    en: ByTemplate
    zh: ByTemplate
    median_latency_s: float
    tokens_per_s: float

    @property
    def abstained(self) -> int:
        """Questions without an answer."""
        return self.n - self.executed


class Swap(BaseModel):
    """The promote under load.

    Attributes:
        requests: Streams opened by eight clients around the promote.
        failed: Streams that ended in an error or without a finish.
        wrong_version: Answers of another version than the one the response names.
        longest_gap_s: Longest wait for a next token within a stream, first token included.
    """

    requests: int
    failed: int
    wrong_version: int
    longest_gap_s: float


class Seconds(BaseModel):
    """Wall-clock seconds of the tour's parts."""

    setup: float
    train: float
    serve: float
    total: float


class Report(BaseModel):
    """Everything `scripts/demo --report FILE` writes."""

    base: Asked
    adapter: Asked
    swap: Swap
    seconds: Seconds
    peak_memory_bytes: int


def print_table(report: Report, console: Console) -> None:
    """Show base and adapter side by side."""
    table = Table(title="The same held-out questions, programs executed")
    table.add_column("")
    table.add_column("base", justify="right")
    table.add_column("adapter", justify="right")
    base, adapter = report.base, report.adapter
    table.add_row("questions", str(base.n), str(adapter.n))
    table.add_row("right", _share(base.right, base.n), _share(adapter.right, adapter.n))
    table.add_row("executed", _share(base.executed, base.n), _share(adapter.executed, adapter.n))
    table.add_row("abstained", _share(base.abstained, base.n), _share(adapter.abstained, adapter.n))
    table.add_section()
    for language, language_name in LANGUAGES.items():
        for split, split_name in SPLITS.items():
            counts = [getattr(getattr(asked, language), split) for asked in (base, adapter)]
            cells = [_share(count.right, count.n) for count in counts]
            table.add_row(f"{language_name}, {split_name}", *cells)
    table.add_section()
    latency = [f"{asked.median_latency_s:.2f} s" for asked in (base, adapter)]
    table.add_row("median latency", *latency)
    table.add_row(
        "tokens/s per request", *[f"{asked.tokens_per_s:.1f}" for asked in (base, adapter)]
    )
    console.print(table)


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole}  {100 * part / whole:5.1f} %" if whole else "-"
