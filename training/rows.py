"""Read a file of rows and find everything wrong with it, by line of the file.

CSV or JSON lines, UTF-8 with or without byte order mark. Works on text alone: no tokenizer, no
model, so that a mistake is known within a second.
"""

import csv
import difflib
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from training.errors import RowsRefused
from training.tasks import Task

Column = Literal["prompt", "output", "answer"]
REQUIRED: tuple[Column, ...] = ("prompt", "output")
# These rows are left out and reported; every other problem is a mistake in the file.
HARMLESS = frozenset({"duplicate", "prompt_conflict", "too_long"})
MAX_CELL_CHARACTERS = 1 << 20
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffd\ud800-\udfff]")


class Row(NamedTuple):
    """One example as text.

    Attributes:
        line: Where it starts in its file, the first line being 1.
        prompt: What is asked.
        output: What is to be answered.
        answer: The gold answer that the output comes to, if the file has one.
        notes: The other columns that are text, such as `language` and `split`.
    """

    line: int
    prompt: str
    output: str
    answer: str | None
    notes: dict[str, str]


class Problem(NamedTuple):
    """What is wrong with one line, or with the whole file if there is no line."""

    line: int | None
    code: str
    message: str

    def __str__(self) -> str:
        """One line for people."""
        place = f"line {self.line}: " if self.line is not None else ""
        return f"{place}{self.message} [{self.code}]"


@dataclass
class Sheet:
    """What a file of rows holds.

    Attributes:
        path: The file.
        count: Rows found, good and bad.
        rows: The good ones, in file order.
        problems: What is wrong with the others, by line.
    """

    path: Path
    count: int = 0
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def mistakes(self) -> list[Problem]:
        """Problems that somebody should mend, rather than rows merely left out."""
        return [problem for problem in self.problems if problem.code not in HARMLESS]

    def drop(self, found: Mapping[int, Problem]) -> None:
        """Take rows out, by line, each with its problem."""
        self.rows = [row for row in self.rows if row.line not in found]
        self.problems += found.values()
        self.problems.sort(key=lambda problem: problem.line or 0)

    def content_sha256(self) -> str:
        """Digest over the good rows as they are used, whatever file they came from."""
        hashed = hashlib.sha256()
        for row in self.rows:
            line = json.dumps([row.prompt, row.output], ensure_ascii=False)
            hashed.update(line.encode("utf-8", "surrogatepass") + b"\n")
        return hashed.hexdigest()


def read_rows(path: Path, task: Task, columns: Mapping[Column, str]) -> Sheet:
    """Read and check a file of rows.

    Args:
        path: A .csv file with a header, or a .jsonl file with one object a line.
        task: Says what an output must satisfy.
        columns: The file's names of columns, where they are not `prompt`, `output`, `answer`.

    Raises:
        RowsRefused: The file cannot be opened or is of another kind.
    """
    sheet = Sheet(path)
    text = _decode(_read_bytes(path), sheet)
    if text is None:
        return sheet
    names: dict[Column, str] = {"prompt": "prompt", "output": "output", "answer": "answer"}
    names.update(columns)
    read = _csv_records if path.suffix.lower() == ".csv" else _json_records
    first_rows: dict[str, Row] = {}
    for line, record in read(text, names, sheet):
        sheet.count += 1
        found = _row(line, record, names, task)
        if isinstance(found, Row):
            first = first_rows.setdefault(found.prompt, found)
            if first is found:
                sheet.rows.append(found)
                continue
            found = _repeated(found, first)
        sheet.problems.append(found)
    if not sheet.count and not sheet.problems:
        sheet.problems.append(Problem(None, "no_rows", "there are no rows in it; add some"))
    sheet.problems.sort(key=lambda problem: problem.line or 0)
    return sheet


def _repeated(row: Row, first: Row) -> Problem:
    same = row.output == first.output
    what = "the same prompt and output as" if same else "another output for the prompt of"
    code = "duplicate" if same else "prompt_conflict"
    return Problem(row.line, code, f"{what} line {first.line}; left out")


def _read_bytes(path: Path) -> bytes:
    if path.suffix.lower() not in (".csv", ".jsonl"):
        raise RowsRefused(
            f"Cannot read rows from {path}: its name ends in {path.suffix!r}, expected .csv (with a "
            "header) or .jsonl (one object a line). Convert it, or rename it if it is one of these."
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise RowsRefused(
            f"Cannot read rows from {path}: {error.strerror}. Expected a .csv or .jsonl file. "
            "Check the path."
        ) from error


def _decode(raw: bytes, sheet: Sheet) -> str | None:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    for number, line in enumerate(raw.split(b"\n"), 1):
        try:
            line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            byte = f"byte 0x{line[error.start]:02x} at position {error.start}"
            sheet.problems.append(
                Problem(
                    number,
                    "not_utf8",
                    f"{byte} is not UTF-8; convert the file, with "
                    f"`iconv -f {_likely_encoding(raw)} -t UTF-8` for example",
                )
            )
    return None


def _likely_encoding(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return "LATIN1"
    return "GB18030"


Record = Mapping[str, object] | Problem


def _csv_records(
    text: str, names: Mapping[Column, str], sheet: Sheet
) -> Iterator[tuple[int, Record]]:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    # A file object without newline translation, so that quoted newlines stay as they are.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if header is None:
                header = [cell.strip() for cell in cells]
                sheet.problems += _missing_columns(header, names)
                if sheet.problems:
                    return
            elif not cells:
                continue
            elif len(cells) != len(header):
                yield start, Problem(start, "cell_count", _wrong_count(len(cells), len(header)))
            else:
                yield start, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        sheet.problems.append(
            Problem(
                line,
                "malformed_csv",
                f"this is not CSV: {error}; look for a quote that is not closed or not doubled",
            )
        )


def _wrong_count(got: int, expected: int) -> str:
    return (
        f"{got} cells, but the header has {expected}; put cells with commas or newlines in "
        "double quotes"
    )


def _missing_columns(header: Sequence[str], names: Mapping[Column, str]) -> list[Problem]:
    problems = []
    for column in REQUIRED:
        if names[column] not in header:
            problems.append(Problem(1, "missing_column", _missing(names[column], column, header)))
    return problems


def _missing(name: str, column: Column, there: Iterable[str]) -> str:
    listed = [str(item) for item in there]
    close = difflib.get_close_matches(name, listed, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    shown = ", ".join(repr(item) for item in listed) or "nothing"
    example = close[0] if close else "NAME"
    return f"no column {name!r}, only {shown}.{hint} Say --columns {column}={example}"


def _json_records(
    text: str, names: Mapping[Column, str], _sheet: Sheet
) -> Iterator[tuple[int, Record]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = str(error).partition(": line")[0]
            yield number, Problem(number, "malformed_json", f"this is not JSON: {reason}")
            continue
        if not isinstance(record, dict):
            kind = type(record).__name__
            message = f"a JSON {kind}, expected an object such as {{'prompt': ..., 'output': ...}}"
            yield number, Problem(number, "not_an_object", message)
            continue
        missing = [column for column in REQUIRED if names[column] not in record]
        if missing:
            message = _missing(names[missing[0]], missing[0], record)
            yield number, Problem(number, "missing_column", message)
            continue
        yield number, record


def _row(line: int, record: Record, names: Mapping[Column, str], task: Task) -> Row | Problem:
    if isinstance(record, Problem):
        return record
    values: dict[Column, str] = {}
    for column, name in names.items():
        value = record.get(name)
        if column in REQUIRED and not isinstance(value, str):
            kind = type(value).__name__
            return Problem(line, "not_text", f"{name} is a {kind}, expected text")
        values[column] = "" if value is None else str(value)
    output = values["output"].replace("\r\n", "\n").strip("\n")
    prompt = values["prompt"].replace("\r\n", "\n").strip()
    for column, text in (("prompt", prompt), ("output", output)):
        problem = _text_problem(line, column, text)
        if problem is not None:
            return problem
    answer = values["answer"].strip() or None
    fault = task.check(output, answer) if task.check else None
    if fault is not None:
        return Problem(line, fault.code, fault.message)
    others = [name for name in record if name not in names.values()]
    notes = {name: note for name in others if isinstance(note := record[name], str)}
    return Row(line, prompt, output, answer, notes)


def _text_problem(line: int, column: str, text: str) -> Problem | None:
    if not text.strip():
        message = f"the {column} is empty; fill it in or remove the row"
        return Problem(line, f"empty_{column}", message)
    if bad := _CONTROL.search(text):
        message = f"the {column} holds {bad[0]!a}; remove the character"
        return Problem(line, "control_character", message)
    return None
