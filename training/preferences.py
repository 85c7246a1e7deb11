"""Preference rows: a prompt, an answer to prefer (`chosen`) and one to avoid (`rejected`).

They are read like other rows, with `chosen` as the output; a pair is two examples that share a
prompt. Knows nothing of models.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from training.encode import Example, encode
from training.prompts import Tokenizer, Wording
from training.rows import Problem, Row, Sheet

REJECTED = "rejected"


class Pair(NamedTuple):
    """Two answers to one prompt, as the model sees them.

    Attributes:
        line: Where the row starts in its file.
        chosen: The answer to prefer.
        rejected: The answer to avoid.
    """

    line: int
    chosen: Example
    rejected: Example

    @property
    def singles(self) -> list[Example]:
        """The two as rows."""
        return [self.chosen, self.rejected]

    @property
    def input_ids(self) -> list[int]:
        """Both, one after the other."""
        return self.chosen.input_ids + self.rejected.input_ids

    @property
    def labels(self) -> list[int]:
        """As `input_ids`."""
        return self.chosen.labels + self.rejected.labels


def check(sheet: Sheet) -> None:
    """Take rows out of a sheet that lack a rejected answer, or whose answers are the same."""
    sheet.drop({row.line: problem for row in sheet.rows if (problem := _problem(row))})


def _problem(row: Row) -> Problem | None:
    rejected = row.notes.get(REJECTED, "").strip("\n")
    if not rejected.strip():
        message = "there is no rejected answer; fill the column `rejected`, or say --rejected-from"
        return Problem(row.line, "empty_rejected", message)
    if rejected == row.output:
        message = "chosen and rejected answer are the same; change one or remove the row"
        return Problem(row.line, "no_preference", message)
    return None


def with_rejected(sheet: Sheet, rejected: Mapping[int, str]) -> None:
    """Give the rows of a sheet their rejected answers, by line, and keep only those that have one."""
    sheet.rows = [
        row._replace(notes=row.notes | {REJECTED: rejected[row.line]})
        for row in sheet.rows
        if row.line in rejected
    ]


def pairs(rows: Sequence[Row], tokenizer: Tokenizer, wording: Wording) -> list[Pair]:
    """Turn checked rows into pairs, in order."""
    chosen = encode(rows, tokenizer, wording.render)
    others = [row._replace(output=row.notes.get(REJECTED, row.output).strip("\n")) for row in rows]
    rejected = encode(others, tokenizer, wording.render)
    return [Pair(good.line, good, bad) for good, bad in zip(chosen, rejected, strict=True)]
