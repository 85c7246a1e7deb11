"""`python -m training.data split FILE --task T --out DIR`: hold rows out, whole groups at a time.

Rows of one story, template or chain (the column `group`) are never on both sides; without that
column, rows that are nearly the same are kept together. The same seed gives the same split.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from training.checks.similarity import near_pairs
from training.data_check import add_source
from training.errors import RowsRefused, TrainingError
from training.preparing import refuse
from training.row_file import write_rows
from training.row_writing import write_whole
from training.rows import read_rows
from training.sheet import Row
from training.tasks import TASKS


class Split(NamedTuple):
    """Two sets of rows without a group in common."""

    train: list[Row]
    held_out: list[Row]
    groups: int
    held_out_groups: int


def split_rows(rows: Sequence[Row], share: float, seed: int) -> Split:
    """Hold out whole groups until their rows make up a share.

    Args:
        rows: Good rows.
        share: Between 0 and 1, of the rows; groups being whole, a little more may go.
        seed: Decides which groups.

    Raises:
        RowsRefused: There is only one group.
    """
    groups = _groups(rows)
    names = sorted(set(groups), key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
    if len(names) < 2:
        raise RowsRefused(
            f"{len(rows)} rows in {len(names)} group(s) cannot be split, expected two groups or "
            "more. Name another column with --columns group=NAME."
        )
    sizes = {name: groups.count(name) for name in names} if len(rows) < 1000 else _sizes(groups)
    chosen: set[str] = set()
    held = 0
    for name in names[:-1]:
        if held >= share * len(rows):
            break
        chosen.add(name)
        held += sizes[name]
    return Split(
        [row for row, name in zip(rows, groups, strict=True) if name not in chosen],
        [row for row, name in zip(rows, groups, strict=True) if name in chosen],
        len(names),
        len(chosen),
    )


def _sizes(groups: Sequence[str]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for name in groups:
        sizes[name] = sizes.get(name, 0) + 1
    return sizes


def _groups(rows: Sequence[Row]) -> list[str]:
    """A name for the group of each row."""
    if any(row.group for row in rows):
        return [row.group or f"line {row.line}" for row in rows]
    names = [f"line {row.line}" for row in rows]
    for pair in near_pairs([row.prompt or row.output for row in rows]):
        names[pair.later] = names[pair.earlier]
    return names


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        _split(arguments)
    except TrainingError as error:
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(
            f"training.data: {error}"
        )
        return 2
    return 0


def _split(arguments: argparse.Namespace) -> None:
    task = TASKS[arguments.task]
    sheet = read_rows(arguments.file, task, arguments.columns)
    refuse(sheet, arguments.bad_rows)
    split = split_rows(sheet.rows, arguments.share, arguments.seed)
    record = {
        "source": sheet.path.name,
        "content_sha256": sheet.content_sha256(),
        "task": arguments.task,
        "seed": arguments.seed,
        "share": arguments.share,
        "by": "group" if any(row.group for row in sheet.rows) else "near duplicates",
        "groups": split.groups,
        "held_out_groups": split.held_out_groups,
        "train_rows": len(split.train),
        "held_out_rows": len(split.held_out),
    }
    write_rows(arguments.out / "train.jsonl", split.train, task)
    write_rows(arguments.out / "held_out.jsonl", split.held_out, task)
    write_whole(arguments.out / "split.json", json.dumps(record, indent=2) + "\n")
    sys.stdout.write(
        f"{len(split.train)} rows to train on, {len(split.held_out)} held out "
        f"({split.held_out_groups} of {split.groups} groups), in {arguments.out}\n"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.data split",
        description="Hold rows out, whole groups at a time.",
        allow_abbrev=False,
    )
    add_source(parser)
    parser.add_argument("--out", type=Path, required=True, help="directory for the two files")
    parser.add_argument("--share", type=_share, default=0.1, help="share of rows to hold out [0.1]")
    parser.add_argument("--seed", type=int, default=0, help="the same seed, the same split [0]")
    parser.add_argument(
        "--bad-rows", choices=("refuse", "drop"), default="refuse", help="what to do about them"
    )
    return parser


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share; expected one between 0 and 1")
    return share


if __name__ == "__main__":
    raise SystemExit(main())
