"""Rows as text, and the sheet that holds a file's good rows and everything wrong with the others."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from training.codes import Problem


class Row(NamedTuple):
    """One example as text.

    Attributes:
        line: Where it starts in its file, the first line being 1.
        prompt: What is asked; empty for raw text.
        output: What is to be answered.
        answer: The gold answer that the output comes to, if the file has one.
        notes: The other columns that are text, such as `language` and `split`.
        group: What it belongs to (a story, a template, a chain), if the file says so.
    """

    line: int
    prompt: str
    output: str
    answer: str | None
    notes: dict[str, str]
    group: str | None = None


@dataclass
class Sheet:
    """What a file of rows holds.

    Attributes:
        path: The file.
        count: Rows found, good and bad.
        rows: The good ones, in file order.
        problems: What is wrong with the others, or to be said about the file, by line.
        warnings: What is worth a look in the good ones, by line.
        format: What the file turned out to be.
        encoding: What it was read as.
    """

    path: Path
    count: int = 0
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    format: str = ""
    encoding: str = "utf-8"

    @property
    def mistakes(self) -> list[Problem]:
        """Problems that somebody should mend, rather than rows merely left out."""
        return [problem for problem in self.problems if problem.gravity == "mend"]

    @property
    def losses(self) -> list[Problem]:
        """Problems that cost a row, or the file."""
        return [problem for problem in self.problems if problem.gravity in ("mend", "left out")]

    def drop(self, found: Mapping[int, Problem]) -> None:
        """Take rows out, by line, each with its problem."""
        self.rows = [row for row in self.rows if row.line not in found]
        self.problems += found.values()
        self.problems.sort(key=lambda problem: problem.line)

    def content_sha256(self) -> str:
        """Digest over the good rows as they are used, whatever file they came from."""
        hashed = hashlib.sha256()
        for row in self.rows:
            line = json.dumps([row.prompt, row.output], ensure_ascii=False)
            hashed.update(line.encode("utf-8", "surrogatepass") + b"\n")
        return hashed.hexdigest()
