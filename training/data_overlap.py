"""`python -m training.data overlap ROWS --task T --against FILE...`: do rows repeat other texts?

Runs of 13 words or Chinese characters in common, as GPT-3's check of its test sets (Brown et al.
2020, arXiv 2005.14165, appendix C). Nothing but the files named is read. Exit codes: 0 no row
overlaps, 1 some do, 2 nothing here can be compared.
"""

import argparse
import csv
import io
import json
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from training.data_check import add_source
from training.errors import RowsRefused, TrainingError
from training.reading.encoding import decode
from training.rows import Row, read_rows
from training.tasks import TASKS

RUN_LENGTH = 13
MAX_SHOWN = 20
_TOKEN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]|[^\W_\u3400-\u4dbf\u4e00-\u9fff]+")

Run = tuple[str, ...]


class Overlap(NamedTuple):
    """A row that repeats a text.

    Attributes:
        line: Of the row.
        where: The file, and the number of the text in it (of a text file, of its line).
        runs: How many runs of the row are in that file.
        example: The first of them.
    """

    line: int
    where: str
    runs: int
    example: str


def tokens(text: str) -> list[str]:
    """The words of a text, each Chinese character being one, without case, width and punctuation."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def runs(text: str, length: int) -> Iterator[Run]:
    """Every run of so many tokens; a shorter text is one run."""
    found = tokens(text)
    if found:
        for start in range(max(1, len(found) - length + 1)):
            yield tuple(found[start : start + length])


def texts_of(path: Path) -> Iterator[str]:
    """Every text of a file: the strings of JSON, the cells of CSV and TSV, the lines of any other.

    Raises:
        RowsRefused: It cannot be opened, or is not of the kind its name says.
    """
    try:
        content = decode(path.read_bytes()).text
        if path.suffix == ".json":
            yield from _strings(json.loads(content))
        elif path.suffix == ".jsonl":
            for line in filter(str.strip, content.splitlines()):
                yield from _strings(json.loads(line))
        elif path.suffix in (".csv", ".tsv"):
            delimiter = "," if path.suffix == ".csv" else "\t"
            for cells in csv.reader(io.StringIO(content), delimiter=delimiter):
                yield from cells
        else:
            yield from content.splitlines()
    except (OSError, ValueError, csv.Error) as error:
        raise RowsRefused(
            f"Cannot compare with {path}: {error}. Expected .json, .jsonl, .csv, .tsv or text."
        ) from error


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def overlaps(rows: Sequence[Row], against: Sequence[Path], length: int) -> list[Overlap]:
    """Find rows whose prompt or output has a run in common with a text, each with its first file.

    Raises:
        RowsRefused: A file cannot be read.
    """
    places: dict[Run, str] = {}
    for path in against:
        for number, text in enumerate(texts_of(path), start=1):
            for run in runs(text, length):
                places.setdefault(run, f"{path.name}, text {number}")
    found = []
    for row in rows:
        shared = [
            run for text in (row.prompt, row.output) for run in runs(text, length) if run in places
        ]
        # A short text is a repetition only if it says something: a number or a yes is none.
        shared = [run for run in shared if len(run) == length or len(run) * 2 > length]
        if shared:
            example = " ".join(shared[0])
            found.append(Overlap(row.line, places[shared[0]], len(shared), example))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        rows = read_rows(arguments.file, TASKS[arguments.task], arguments.columns).rows
        if not rows:
            raise RowsRefused(f"{arguments.file} has no row that can be used; check it first.")
        found = overlaps(rows, arguments.against, arguments.ngram)
    except TrainingError as error:
        sys.stderr.write(f"training.data: {error}\n")
        return 2
    if arguments.json:
        document = {"rows": len(rows), "overlaps": [each._asdict() for each in found]}
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        _show(len(rows), found, arguments.ngram)
    return 1 if found else 0


def _show(rows: int, found: Sequence[Overlap], length: int) -> None:
    lines = [f"{len(found)} of {rows} rows share a run of {length} words or Chinese characters"]
    lines += [
        f"  line {each.line}: {each.runs} in {each.where}: {each.example}"
        for each in found[:MAX_SHOWN]
    ]
    if len(found) > MAX_SHOWN:
        lines.append(f"  and {len(found) - MAX_SHOWN} more; --json names all")
    sys.stdout.write("\n".join(lines) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.data overlap",
        description="Find rows that repeat texts of other files, a test set's for example.",
        allow_abbrev=False,
    )
    add_source(parser)
    parser.add_argument(
        "--against",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="what to compare with",
    )
    parser.add_argument(
        "--ngram", type=int, choices=range(4, 51), default=RUN_LENGTH, metavar="N",
        help=f"words or Chinese characters in a run, 4 to 50 [{RUN_LENGTH}]",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
