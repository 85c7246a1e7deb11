"""`python -m training.verification --model pseudocode@1 --questions rows.csv --out verifier.csv`.

Draws programs from a running service and writes what became of them as rows. Exit codes: 0 done, 2
not possible (one message says why), 130 stopped; the same command goes on from where it was.
"""

import asyncio
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from openai import AsyncOpenAI
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from rich.console import Console

from configuration import ConfigurationError, load
from training.asking import Service, connect
from training.errors import SamplingFailed, TrainingError
from training.evaluate import golds_of, read_held_out
from training.progress import Bar
from training.row_writing import require_place, write_rows
from training.rows import Row
from training.verification.drawing import Drawn, Manner, draw, require_model
from training.verification.journal import Journal
from training.verification.judging import (
    SOLVED_COLUMNS,
    VERIFIER_COLUMNS,
    Judged,
    balanced,
    judge,
    solved_rows,
    verifier_rows,
)


class Settings(BaseModel):
    """Draw programs from a solver, run them, and write rows for a verifier and for the solver."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(description="the solver's name: pseudocode@1 for example")
    questions: Path = Field(description="rows with the columns prompt, output and answer")
    out: Path = Field(description="rows of the verifier, a .csv or .jsonl file to write")
    out_solved: Path | None = Field(
        default=None, description="new rows of the solver, from its own right programs"
    )
    url: str = Field(default="http://127.0.0.1:8000", description="the service")
    samples: int = Field(default=4, ge=1, le=8, description="programs for each question")
    temperature: float = Field(default=0.7, gt=0, le=2, description="of the draw")
    grammar: Literal["none", "dialect"] = Field(
        default="dialect", description="what may be written: anything, or programs only"
    )
    limit_questions: int | None = Field(default=None, ge=1, description="ask only the first")
    concurrency: int = Field(default=8, ge=1, le=256, description="questions in flight")
    max_tokens: int | None = Field(
        default=None, ge=1, description="limit of a program [default: the version's own]"
    )
    timeout_s: float = Field(default=600.0, gt=0, description="longest wait for one question")
    api_key: SecretStr = Field(default=SecretStr("not-needed"), description="key of the service")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    try:
        settings = load(
            Settings,
            sys.argv[1:] if argv is None else argv,
            prog="python -m training.verification",
            file_flag="--settings",
            env_prefix="LORADOCK_VERIFICATION_",
        )
        _run(settings, console)
    except (TrainingError, ConfigurationError) as error:
        errors.print(f"training.verification: {error}")
        return 2
    except KeyboardInterrupt:
        errors.print("training.verification: stopped; the same command goes on from here.")
        return 130
    return 0


def _run(settings: Settings, console: Console) -> None:
    places = [place for place in (settings.out, settings.out_solved) if place is not None]
    for place in places:
        require_place(place)
    questions = read_questions(settings.questions)[: settings.limit_questions]
    manner = Manner(
        settings.model,
        settings.samples,
        settings.temperature,
        settings.grammar == "dialect",
        settings.max_tokens,
    )
    drawn = asyncio.run(_draw_all(settings, manner, questions, console))
    judged = [one for row in questions for one in judge(row, drawn[row.prompt].programs)]
    rows = balanced(judged)
    written = sum(len(drawn[row.prompt].programs) for row in questions)
    console.print(_summary(len(questions), written, judged))
    if not rows:
        raise SamplingFailed(
            f"There is nothing to learn from the {len(judged)} programs that compute a number: a "
            "verifier needs right and wrong ones. Give other questions, or a higher temperature."
        )
    write_rows(settings.out, VERIFIER_COLUMNS, verifier_rows(rows))
    console.print(f"{len(rows)} rows for a verifier, half of them right, in {settings.out}")
    if settings.out_solved is not None:
        solved = solved_rows(judged)
        write_rows(settings.out_solved, SOLVED_COLUMNS, solved)
        console.print(f"{len(solved)} new rows for the solver in {settings.out_solved}")


def read_questions(path: Path) -> list[Row]:
    """Read questions whose answer is known.

    Raises:
        TrainingError: The file cannot be read, or a row has no answer.
    """
    rows = read_held_out(path, "pseudocode").rows
    golds_of(rows, path)
    # Other programs for a question are no other question.
    return list({row.prompt: row for row in reversed(rows)}.values())[::-1]


async def _draw_all(
    settings: Settings, manner: Manner, questions: Sequence[Row], console: Console
) -> dict[str, Drawn]:
    service = Service(settings.url, settings.api_key, settings.timeout_s, settings.concurrency)
    async with connect(service) as client:
        return await draw_missing(
            client, manner, [row.prompt for row in questions], settings, console
        )


async def draw_missing(
    client: AsyncOpenAI,
    manner: Manner,
    questions: Sequence[str],
    settings: Settings,
    console: Console,
) -> dict[str, Drawn]:
    """Draw what the journal beside the output does not hold yet.

    Raises:
        SamplingFailed: The service is not there or refuses, or the journal is of another draw.
    """
    journal = Journal(settings.out.with_name(f"{settings.out.name}.drawn.jsonl"), manner)
    missing = [question for question in questions if question not in journal.drawn]
    if not missing:
        return journal.drawn
    await require_model(client, manner.model)
    before = len(questions) - len(missing)
    if before:
        console.print(f"{before} of {len(questions)} questions were drawn before")
    done = itertools.count(before + 1)
    with Bar(console, "drawing", len(questions), "questions").showing() as bar:

        def keep(drawn: Drawn) -> None:
            journal.add(drawn)
            bar.show(next(done))

        await draw(client, manner, missing, keep, settings.concurrency)
    return journal.drawn


def _summary(questions: int, written: int, judged: Sequence[Judged]) -> str:
    right = sum(one.right for one in judged)
    solved = len({one.question.prompt for one in judged if one.right})
    return (
        f"{questions} questions, {written} programs; {len(judged)} distinct ones compute a number: "
        f"{right} right, {len(judged) - right} wrong; {solved} questions with a right one"
    )
