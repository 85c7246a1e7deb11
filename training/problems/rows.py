"""Write problems as training rows: CSV or JSON lines, by the file's suffix.

The prompt is the bare question; the text form around it is the trainer's business.
"""

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path

from training.problems.errors import ProblemError
from training.problems.generator import Problem

COLUMNS = ("prompt", "output", "answer", "language", "template", "split")


def write_rows(path: Path, problems: Iterable[Problem]) -> None:
    """Write one row per problem; an existing file is replaced when all of them are written.

    Raises:
        ProblemError: The suffix is neither .csv nor .jsonl, or the file cannot be written.
    """
    rows = [
        {
            "prompt": problem.question,
            "output": problem.program,
            "answer": problem.answer,
            "language": problem.language,
            "template": problem.template,
            "split": problem.split,
        }
        for problem in problems
    ]
    if path.suffix == ".csv":
        text = _csv(rows)
    elif path.suffix == ".jsonl":
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    else:
        raise ProblemError(f"cannot write {path}: expected a name that ends in .csv or .jsonl")
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8", newline="")
        partial.replace(path)
    except OSError as error:
        raise ProblemError(
            f"cannot write {path}: {error.strerror}. Choose a folder that can be written to."
        ) from error


def _csv(rows: list[dict[str, str]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
