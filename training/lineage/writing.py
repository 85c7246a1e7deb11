"""Write rows as CSV files that `training.sft` reads."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from training.lineage.errors import LineageError
from training.lineage.rows import LineageRow, Split

COLUMNS = ("prompt", "output", "group", "kind", "language", "year")


def write_split(split: Split, folder: Path) -> list[Path]:
    """Write train.csv, and held-out.csv if anything is held out.

    Raises:
        LineageError: The folder cannot be written to.
    """
    files = [folder / "train.csv"]
    write_rows(split.train, files[0])
    if split.held_out:
        files.append(folder / "held-out.csv")
        write_rows(split.held_out, files[1])
    return files


def write_rows(rows: Sequence[LineageRow], path: Path) -> None:
    """Write rows; an existing file is replaced when all of them are written.

    Raises:
        LineageError: The file cannot be written.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((row.prompt, row.output, row.group, row.kind, "en", row.year) for row in rows)
    write_text(path, buffer.getvalue())


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        LineageError: The file cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8", newline="")
        partial.replace(path)
    except OSError as error:
        raise LineageError(
            f"cannot write {path}: {error.strerror}; expected a folder that can be written to. "
            "Choose another with --out"
        ) from error
