"""Write what was made here: rows as CSV or JSON lines, or any text, all of it or nothing."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from training.errors import NotWritten


def require_place(path: Path) -> None:
    """Make sure, before anything expensive, that rows can be written somewhere.

    Raises:
        NotWritten: The suffix is neither .csv nor .jsonl, or there can be no such file.
    """
    if path.suffix not in (".csv", ".jsonl"):
        raise NotWritten(f"cannot write {path}: expected a name that ends in .csv or .jsonl")
    partial = _partial(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
        partial.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write rows of one value per column; an existing file is replaced in one step.

    Raises:
        NotWritten: The suffix is neither .csv nor .jsonl, or the file cannot be written.
    """
    require_place(path)
    if path.suffix == ".csv":
        text = _csv(columns, rows)
    else:
        records = (dict(zip(columns, row, strict=True)) for row in rows)
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    write_whole(path, text)


def write_whole(path: Path, text: str) -> None:
    """Write a text file; an existing one is replaced in one step.

    Raises:
        NotWritten: It cannot be written.
    """
    partial = _partial(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8", newline="")
        partial.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def _unwritable(path: Path, error: OSError) -> NotWritten:
    return NotWritten(
        f"cannot write {path}: {error.strerror}. Choose a folder that can be written to."
    )


def _csv(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return buffer.getvalue()
