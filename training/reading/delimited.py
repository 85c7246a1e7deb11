"""CSV and its relatives: records with the line they start at, going on after a bad quote."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from training.codes import Problem
from training.reading.records import Records

DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_EXCEL_LINE = re.compile(r"sep=(.)\s*")


def read_delimited(text: str, expected: str, wanted: Sequence[str]) -> Records:
    """Read records by the names of a header.

    Args:
        text: The whole file.
        expected: The delimiter that the file's name promises.
        wanted: Names that the header should have; they tell which delimiter it is.
    """
    lines = _LINE.findall(text)
    excel = _EXCEL_LINE.fullmatch(lines[0]) if lines else None
    delimiter = excel[1] if excel else _delimiter(lines, expected, wanted)
    records = Records("csv")
    header: list[str] | None = None
    for line, cells in _cells(lines, 1 if excel else 0, delimiter):
        if isinstance(cells, Problem):
            records.items.append((line, cells))
        elif not any(cell.strip() for cell in cells) and len(cells) < 2:
            continue
        elif header is None:
            header = [cell.strip() for cell in cells]
            records.names, records.names_line = header, line
        else:
            records.items.append((line, _record(line, cells, header)))
    records.problems += _doubled(header or [], records.names_line, wanted)
    if delimiter != expected and not excel:
        kind = DELIMITERS[delimiter]
        records.problems.append(
            Problem(1, "delimiter", f"cells are separated by {kind}, and were read so")
        )
    return records


def _delimiter(lines: Sequence[str], expected: str, wanted: Sequence[str]) -> str:
    """The delimiter under which the header has the names wanted, else the expected one."""
    best, most = expected, -1
    for delimiter in [expected, *DELIMITERS]:
        header = next((cells for _, cells in _cells(lines, 0, delimiter) if cells), None)
        if header is None or isinstance(header, Problem):
            continue
        names = {cell.strip().casefold() for cell in header}
        there = sum(name.casefold() in names for name in wanted)
        if there > most:
            best, most = delimiter, there
    return best


def _cells(
    lines: Sequence[str], start: int, delimiter: str
) -> Iterator[tuple[int, list[str] | Problem]]:
    """Yield each record with its line; after a bad quote, reading goes on at the next line."""
    csv.field_size_limit(max(1 << 17, sum(map(len, lines))))
    while start < len(lines):
        rest = (lines[i] for i in range(start, len(lines)))
        reader = csv.reader(rest, delimiter=delimiter, strict=True)
        at = start
        try:
            for cells in reader:
                yield at + 1, cells
                at = start + reader.line_num
        except csv.Error as error:
            yield at + 1, _bad_quote(at + 1, str(error))
            start = at + 1
        else:
            return


def _bad_quote(line: int, reason: str) -> Problem:
    if "unexpected end" in reason:
        message = "a quote is opened here and never closed; close it, or double it inside a cell"
        return Problem(line, "unclosed_quote", message)
    message = f"this is not CSV: {reason}; close quotes, and double those inside a cell"
    return Problem(line, "malformed_csv", message)


def _record(line: int, cells: list[str], header: list[str]) -> dict[str, object] | Problem:
    if [cell.strip() for cell in cells] == header:
        return Problem(line, "repeated_header", "this is the header once more; remove it")
    if len(cells) == len(header):
        return dict(zip(header, cells, strict=True))
    message = (
        f"{len(cells)} cells, but the header has {len(header)}; put cells with commas or newlines "
        "in double quotes"
    )
    return Problem(line, "cell_count", message)


def _doubled(header: Sequence[str], line: int, wanted: Sequence[str]) -> list[Problem]:
    return [
        Problem(line, "duplicate_column", f"{times} columns are called {name!r}; rename one")
        for name, times in Counter(header).items()
        if times > 1 and name in wanted
    ]
