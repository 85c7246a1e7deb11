"""Write rows that were made here: CSV or JSON lines, by the file's suffix, all of them or nothing."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path


class RowWritingError(Exception):
    """Rows cannot be written; the message says where to write instead."""


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write rows of one value per column; an existing file is replaced in one step.

    Raises:
        RowWritingError: The suffix is neither .csv nor .jsonl, or the file cannot be written.
    """
    if path.suffix == ".csv":
        text = _csv(columns, rows)
    elif path.suffix == ".jsonl":
        records = (dict(zip(columns, row, strict=True)) for row in rows)
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    else:
        raise RowWritingError(f"cannot write {path}: expected a name that ends in .csv or .jsonl")
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8", newline="")
        partial.replace(path)
    except OSError as error:
        raise RowWritingError(
            f"cannot write {path}: {error.strerror}. Choose a folder that can be written to."
        ) from error


def _csv(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return buffer.getvalue()
