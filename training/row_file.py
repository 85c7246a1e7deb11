"""Write rows back to a file, JSON lines in the columns that training reads."""

import json
from collections.abc import Sequence
from pathlib import Path

from training.errors import RowsRefused
from training.row_writing import write_whole
from training.sheet import Row
from training.tasks import Task


def write_rows(path: Path, rows: Sequence[Row], task: Task) -> None:
    """Write rows; an existing file is replaced when all of them are written.

    Raises:
        RowsRefused: The name does not end in .jsonl.
        NotWritten: The file cannot be written.
    """
    if path.suffix != ".jsonl":
        raise RowsRefused(f"Cannot write rows to {path}: expected a name that ends in .jsonl.")
    text = "".join(json.dumps(_record(row, task), ensure_ascii=False) + "\n" for row in rows)
    write_whole(path, text)


def _record(row: Row, task: Task) -> dict[str, str]:
    names = {column: task.column_names.get(column, column) for column in ("prompt", "output")}
    record = {names["output"]: row.output} if task.raw else {
        names["prompt"]: row.prompt, names["output"]: row.output
    }  # fmt: skip
    given = {"answer": row.answer, "group": row.group}
    return {**row.notes, **record, **{name: text for name, text in given.items() if text}}
