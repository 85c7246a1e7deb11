"""`python -m training.evaluate --model pseudocode@2 --rows FILE [--url URL]`: how good is a version?

Puts held-out questions to a running service, or to the version and its base in this process, and
scores the answers. Exit codes: 0 done, 2 not possible (one message says why).
"""

import asyncio
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr
from rich.console import Console
from rich.table import Table

import pseudocode
from adapters.errors import AdapterError, UnknownAdapter
from adapters.layout import default_root
from adapters.store import Store
from basemodels import BaseModelError
from configuration import ConfigurationError, load
from training.asking import Service, ask
from training.errors import EvaluationFailed, TrainingError
from training.rows import Row, Sheet, read_rows
from training.tasks import TASKS, TaskName, same_number
from training.trained_for import task_of

Z_95 = 1.959964


class Settings(BaseModel):
    """Measure a model on held-out rows, in this process or through an OpenAI-compatible service."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str | None = Field(
        default=None,
        description="the service, http://127.0.0.1:8000 for example [default: in this process]",
    )
    base: str | None = Field(
        default=None, description="base model, in this process [default: what the version names]"
    )
    task: TaskName | None = Field(
        default=None,
        description="kind of rows [default: what the version was trained for; pseudocode if it is "
        "in no store here]",
    )
    metric: list[str] = Field(
        default_factory=list,
        description="[right, evaluate:rouge] for example [default: those of the task]",
    )
    samples: int = Field(default=3, ge=0, description="answers to print, in this process")
    model: str = Field(description="name to ask for: pseudocode@2, pseudocode, or the base")
    rows: Path = Field(description="held-out rows with the columns prompt, output and answer")
    store: Path | None = Field(
        default=None, description="store the version is in [default: $LORADOCK_STORE, or user data]"
    )
    record: bool = Field(default=True, description="append the results to the version")
    limit_rows: int | None = Field(default=None, ge=1, description="ask only the first rows")
    concurrency: int = Field(default=8, ge=1, le=256, description="questions in flight")
    max_tokens: int | None = Field(
        default=None, ge=1, description="limit of an answer [default: the version's own]"
    )
    timeout_s: float = Field(default=120.0, gt=0, description="longest wait for one answer")
    api_key: SecretStr = Field(default=SecretStr("not-needed"), description="key of the service")


class Gold(NamedTuple):
    """A question's right answer and the groups it is counted in."""

    answer: str
    language: str
    split: str


class Share(BaseModel):
    """How many of how many, with the 95 % Wilson interval of the share."""

    count: int
    of: int
    share: float
    low: float
    high: float


class Score(BaseModel):
    """What programs came to.

    Attributes:
        executed: Programs that ran to an answer; the rest abstain.
        right: Answers that equal the gold answer.
        right_when_executed: Of the answers given, those that are right.
    """

    executed: Share
    right: Share
    right_when_executed: Share

    @property
    def abstained(self) -> int:
        """Questions without an answer."""
        return self.executed.of - self.executed.count


class Scores(BaseModel):
    """The score over everything, and by `language/split`."""

    overall: Score
    groups: dict[str, Score]


def wilson(count: int, of: int) -> Share:
    """The share and its 95 % Wilson interval; of nothing, anything is possible."""
    if of == 0:
        return Share(count=0, of=0, share=0.0, low=0.0, high=1.0)
    share, square = count / of, Z_95**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z_95 * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return Share(
        count=count,
        of=of,
        share=share,
        low=0.0 if count == 0 else max(0.0, middle - half),
        high=1.0 if count == of else min(1.0, middle + half),
    )


def score(programs: Sequence[str], golds: Sequence[Gold]) -> Scores:
    """Run every program and compare its answer with the gold answer.

    Args:
        programs: What a model wrote, in the order of `golds`.
        golds: Right answers, as numbers in any notation of the dialect.
    """
    answers = [pseudocode.run(program).answer for program in programs]
    marked = list(zip(answers, golds, strict=True))
    groups: dict[str, list[tuple[str | None, Gold]]] = {}
    for answer, gold in marked:
        groups.setdefault(f"{gold.language}/{gold.split}", []).append((answer, gold))
    return Scores(
        overall=_score(marked), groups={name: _score(groups[name]) for name in sorted(groups)}
    )


def _score(marked: Sequence[tuple[str | None, Gold]]) -> Score:
    executed = sum(answer is not None for answer, _ in marked)
    right = sum(answer is not None and same_number(answer, gold.answer) for answer, gold in marked)
    return Score(
        executed=wilson(executed, len(marked)),
        right=wilson(right, len(marked)),
        right_when_executed=wilson(right, executed),
    )


def golds_of(rows: Sequence[Row], path: Path) -> list[Gold]:
    """Take gold answers and groups from rows.

    Raises:
        EvaluationFailed: A row has no answer.
    """
    without = [row.line for row in rows if row.answer is None]
    if without:
        raise EvaluationFailed(
            f"{path} has {len(without)} row(s) without an answer, the first at line {without[0]}; "
            "expected a gold answer in the column `answer` of each. Add them."
        )
    return [
        Gold(
            answer=row.answer or "",
            language=row.notes.get("language") or "any",
            split=row.notes.get("split") or "any",
        )
        for row in rows
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    console = Console(highlight=False)
    try:
        settings = load(
            Settings,
            sys.argv[1:] if argv is None else argv,
            prog="python -m training.evaluate",
            file_flag="--settings",
            env_prefix="LORADOCK_EVALUATE_",
        )
        _evaluate(settings, console)
    except (TrainingError, ConfigurationError, AdapterError, BaseModelError) as error:
        Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(
            f"training.evaluate: {error}"
        )
        return 2
    return 0


def service_of(settings: Settings) -> Service:
    """The service that is to be asked."""
    return Service(str(settings.url), settings.api_key, settings.timeout_s, settings.concurrency)


def read_held_out(path: Path, task: TaskName) -> Sheet:
    """Read rows to evaluate on.

    Raises:
        EvaluationFailed: There are none, or some have mistakes.
        RowsRefused: The file cannot be read.
    """
    sheet = read_rows(path, TASKS[task], {})
    if sheet.mistakes or not sheet.rows:
        reasons = "\n".join(f"  {problem}" for problem in sheet.problems[:20])
        raise EvaluationFailed(
            f"{path} cannot be evaluated on, expected rows without mistakes:\n{reasons}"
        )
    return sheet


def _evaluate(settings: Settings, console: Console) -> None:
    if settings.url is None:
        # Torch takes seconds that a service need not wait for.
        from training.side_by_side import compare  # noqa: PLC0415

        compare(settings, console)
        return
    task = _task_asked_for(settings)
    if task != "pseudocode":
        from training.side_by_side import score_service  # noqa: PLC0415 - as above

        score_service(settings, console, task)
        return
    sheet = read_held_out(settings.rows, "pseudocode")
    rows = sheet.rows[: settings.limit_rows]
    golds = golds_of(rows, settings.rows)
    answers = asyncio.run(
        ask(
            service_of(settings),
            settings.model,
            [row.prompt for row in rows],
            settings.max_tokens,
        )
    )
    scores = score(answers.programs, golds)
    _show(scores, answers.served_by, console)
    if settings.record and "@" in answers.served_by:
        store = Store(settings.store or default_root())
        version = store.resolve(answers.served_by)
        results: dict[str, JsonValue] = {
            "task": "pseudocode",
            "rows": settings.rows.name,
            "rows_sha256": sheet.content_sha256(),
            "asked": len(rows),
            "scores": scores.model_dump(mode="json"),
            "metrics": {
                "right": scores.overall.right.share,
                "executed": scores.overall.executed.share,
            },
        }
        store.record_evaluation(version.name, version.number, results)
        console.print(f"Recorded with {version} in {store.root}")


def _task_asked_for(settings: Settings) -> TaskName:
    """The task of a service's model: as said, or of the version in the store, if it is there."""
    if settings.task is not None:
        return settings.task
    try:
        return task_of(Store(settings.store or default_root()).resolve(settings.model))
    except UnknownAdapter:
        return "pseudocode"


def _show(scores: Scores, model: str, console: Console) -> None:
    table = Table(title=f"{model}: programs executed, 95 % intervals")
    for heading in ("", "questions", "executed", "right", "right when executed"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, found in [*scores.groups.items(), ("all", scores.overall)]:
        shares = (found.executed, found.right, found.right_when_executed)
        table.add_row(name, str(found.executed.of), *map(shown, shares))
    console.print(table)


def shown(share: Share) -> str:
    """A share as people read it, with its interval."""
    return f"{share.share:.1%} ({share.low:.1%}-{share.high:.1%})"


if __name__ == "__main__":
    raise SystemExit(main())
