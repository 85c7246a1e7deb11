"""The whole verdict on a file of rows: what is kept, what is wrong where, lengths, leaks, languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from basemodels import resolve
from training import lengths as measured
from training.checks.cells import remarks
from training.checks.languages import count_languages
from training.checks.leakage import exact_leaks, near_leaks
from training.checks.repeats import near_repeats
from training.codes import Problem
from training.encode import Example, encode, find_unfit, preview
from training.errors import RowsRefused
from training.preparing import load_tokenizer
from training.prompts import Tokenizer, word
from training.reading.columns import Column
from training.rows import read_rows
from training.sheet import Sheet
from training.tasks import Task

PREVIEWS = 3


@dataclass
class Encoded:
    """Rows as tokens.

    Attributes:
        lengths: Of every good row in tokens, also of those that are too long.
        trained: How many of all those tokens are trained.
        cut: What the limit would cut.
        examples: The rows that fit.
        tokenizer: Of the base model.
    """

    lengths: list[int]
    trained: int
    cut: measured.Cut
    examples: list[Example]
    tokenizer: Tokenizer

    def previews(self) -> list[dict[str, object]]:
        """The first examples as text, trained tokens in brackets."""
        return [
            {"line": example.line, "text": preview(example, self.tokenizer)}
            for example in self.examples[:PREVIEWS]
        ]


@dataclass
class Report:
    """Everything that is to be said about a file of rows.

    Attributes:
        sheet: Its rows and problems.
        max_length_tokens: Where rows are too long.
        encoded: Its rows as tokens, if the base model is known.
        languages: Rows by language, of a sample.
        held_out: The rows to measure with, if there are any.
        leaks: Which of them are trained on.
        remarks: What else was done.
    """

    sheet: Sheet
    max_length_tokens: int
    encoded: Encoded | None = None
    languages: dict[str, int] = field(default_factory=dict)
    held_out: Sheet | None = None
    leaks: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 every row is kept, 1 some are lost or leak, 2 nothing can be used."""
        if not self.sheet.rows:
            return 2
        leaking = any(problem.gravity == "mend" for problem in self.leaks)
        return 1 if self.sheet.losses or leaking else 0

    @property
    def lengths(self) -> tuple[list[int], str]:
        """How long rows are, and in what: tokens if the base model is known."""
        if self.encoded is not None:
            return self.encoded.lengths, "tokens"
        return [len(row.prompt) + len(row.output) for row in self.sheet.rows], "characters"

    def plot(self, path: Path) -> None:
        """Draw the lengths.

        Raises:
            RowsRefused: There is nothing to draw, or the file cannot be written.
        """
        found, unit = self.lengths
        if not found:
            raise RowsRefused(
                f"There is nothing to draw in {path}: no row of {self.sheet.path} is kept."
            )
        limit = self.max_length_tokens if unit == "tokens" else None
        try:
            measured.plot(found, unit, limit, path)
        except OSError as error:
            raise RowsRefused(
                f"Cannot write {path}: {error.strerror}. Choose a .png file in a directory of yours."
            ) from error

    def as_json(self) -> dict[str, object]:
        """The report for programs."""
        sheet = self.sheet
        found, unit = self.lengths
        figures = measured.figures(found)
        content: dict[str, object] = {
            "rows": sheet.count,
            "kept": len(sheet.rows),
            "problems": _listed(sheet.problems),
            "warnings": _listed(sheet.warnings),
            "file": str(sheet.path),
            "format": sheet.format,
            "encoding": sheet.encoding,
            "content_sha256": sheet.content_sha256(),
            "languages": self.languages,
            f"length_{unit}": figures._asdict() if figures else None,
        }
        if self.encoded is not None:
            content["trained_tokens"] = self.encoded.trained
            content["too_long_if_cut"] = self.encoded.cut._asdict()
            content["preview"] = self.encoded.previews()
        if self.held_out is not None:
            content["eval"] = {
                "rows": self.held_out.count,
                "kept": len(self.held_out.rows),
                "problems": _listed(self.held_out.problems),
            }
            content["leaks"] = _listed(self.leaks)
        return content

    @staticmethod
    def of_nothing(message: str) -> dict[str, object]:
        """The report on a file that cannot be read at all, for programs."""
        return {"rows": 0, "kept": 0, "problems": _listed([Problem(1, "unreadable", message)])}


def _listed(problems: Sequence[Problem]) -> list[dict[str, object]]:
    return [problem._asdict() for problem in problems]


def build(
    path: Path,
    task: Task,
    columns: Mapping[Column, str],
    *,
    base: str | None,
    max_length_tokens: int,
    held_out: Path | None,
) -> Report:
    """Check a file of rows.

    Args:
        path: What `training.rows.read_rows` reads.
        task: Its kind of rows.
        columns: Names of its columns, where they differ.
        base: The base model, for lengths in tokens; not needed for the rest.
        max_length_tokens: Longer rows are left out.
        held_out: Rows to measure with, to find leaks.

    Raises:
        RowsRefused: A file cannot be read.
        BaseModelError: The base model cannot be used.
        TrainingError: Its tokenizer cannot be used.
    """
    sheet = read_rows(path, task, columns)
    report = Report(sheet, max_length_tokens)
    if held_out is not None:
        report.held_out = read_rows(held_out, task, columns)
        pair = (sheet.rows, report.held_out.rows, str(path))
        exact = exact_leaks(*pair)
        lines = {problem.line for problem in exact}
        near = [problem for problem in near_leaks(*pair) if problem.line not in lines]
        report.leaks = sorted(exact + near)
    if base is not None:
        report.encoded = _encode(sheet, task, base, max_length_tokens)
    else:
        sheet.drop(_surely_too_long(sheet, task, max_length_tokens))
    report.languages, others = count_languages(sheet.rows)
    remarked = [
        Problem(row.line, *remark)
        for row in sheet.rows
        for remark in remarks(row.prompt, row.output)
    ]
    sheet.warnings = sorted(sheet.warnings + remarked + near_repeats(sheet.rows) + others)
    return report


def _encode(sheet: Sheet, task: Task, base: str, max_length_tokens: int) -> Encoded:
    tokenizer = load_tokenizer(resolve(base))
    examples = encode(sheet.rows, tokenizer, word(task, tokenizer).render)
    # Documents are cut into examples of that length by the run, with nothing lost.
    most = max((len(item.input_ids) for item in examples), default=0)
    unfit = find_unfit(sheet.rows, examples, tokenizer, most if task.raw else max_length_tokens)
    sheet.drop(unfit)
    return Encoded(
        lengths=[len(item.input_ids) for item in examples],
        trained=sum(label >= 0 for item in examples for label in item.labels),
        cut=measured.cut_at(examples, max_length_tokens),
        examples=[item for item in examples if item.line not in unfit],
        tokenizer=tokenizer,
    )


def _surely_too_long(sheet: Sheet, task: Task, max_length_tokens: int) -> dict[int, Problem]:
    found = {}
    for row in sheet.rows:
        tokens = measured.surely_tokens(row.prompt) + measured.surely_tokens(row.output)
        if tokens > max_length_tokens and not task.raw:
            message = (
                f"{len(row.prompt) + len(row.output):,} characters, at least {tokens:,} tokens with "
                f"any base, expected at most {max_length_tokens} (max_length_tokens)"
            )
            found[row.line] = Problem(row.line, "too_long", message)
    return found
