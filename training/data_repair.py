"""Mend the arithmetic of chain-of-thought rows, and write those that are right then."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import reasoning
from training.errors import RowsRefused
from training.reading.columns import Column
from training.row_file import write_rows
from training.rows import read_rows
from training.sheet import Row
from training.tasks import TASKS, Task
from training.tasks.task import nothing_more


def repair_rows(path: Path, task: Task, columns: Mapping[Column, str], out: Path) -> str:
    """Write the rows that are right, or become so when their arithmetic is mended.

    Returns:
        A sentence on how many of which.

    Raises:
        RowsRefused: The task has no arithmetic, or the rows cannot be read or written.
    """
    if task is not TASKS["cot"]:
        raise RowsRefused("--repair mends arithmetic, which only rows of --task cot have.")
    everything = read_rows(path, replace(task, check=nothing_more), columns).rows
    right = [row for row in everything if not task.check(row.prompt, row.output, row.answer)]
    lines = {row.line for row in right}
    mended = [
        found for row in everything if row.line not in lines and (found := _mended(row)) is not None
    ]
    write_rows(out, sorted(right + mended, key=lambda row: row.line), task)
    return (
        f"{out}: {len(right)} rows as they were, {len(mended)} mended, "
        f"{len(everything) - len(right) - len(mended)} beyond repair left out"
    )


def _mended(row: Row) -> Row | None:
    text = reasoning.repair(row.output, row.answer)
    return None if text is None else row._replace(output=text)
