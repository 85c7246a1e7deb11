"""Write rows as CSV files that `training.sft` reads."""

from pathlib import Path

from training.lineage.rows import Split
from training.row_writing import write_rows

COLUMNS = ("prompt", "output", "group", "kind", "language", "year")


def write_split(split: Split, folder: Path) -> list[Path]:
    """Write train.csv, and held-out.csv if anything is held out.

    Raises:
        NotWritten: The folder cannot be written to.
    """
    files = []
    for name, rows in (("train.csv", split.train), ("held-out.csv", split.held_out)):
        if rows or name == "train.csv":
            files.append(folder / name)
            values = [
                (row.prompt, row.output, row.group, row.kind, "en", str(row.year)) for row in rows
            ]
            write_rows(files[-1], COLUMNS, values)
    return files
