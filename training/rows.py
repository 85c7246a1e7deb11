"""Read a file of rows and find everything wrong with it, by line of the file.

Works on text alone: no tokenizer, no model, so that a mistake is known within a second.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from training.checks import cells
from training.codes import Problem
from training.errors import RowsRefused
from training.reading import hub
from training.reading.columns import Column, find_columns
from training.reading.delimited import read_delimited
from training.reading.encoding import decode
from training.reading.json_values import read_json
from training.reading.records import Records
from training.reading.tables import read_parquet
from training.reading.texts import SUFFIXES as TEXT_SUFFIXES
from training.reading.texts import read_texts
from training.sheet import Row, Sheet
from training.tasks import Task

__all__ = ["Column", "Problem", "Row", "Sheet", "read_rows"]

DELIMITED = {".csv": ",", ".tsv": "\t"}
_EXPECTED = ".csv, .tsv, .jsonl, .json or .parquet, with a header or named fields"


def read_rows(path: Path, task: Task, columns: Mapping[Column, str]) -> Sheet:
    """Read and check a file of rows.

    Args:
        path: A .csv, .tsv, .jsonl, .json or .parquet file, the id of a dataset on the Hub, or for
            raw text a .txt or .md file or a directory of them.
        task: Says which columns there must be and what an output must satisfy.
        columns: The file's names of columns, where they are not the usual ones.

    Raises:
        RowsRefused: The file cannot be opened or is of another kind.
    """
    sheet = Sheet(path)
    asked = {**task.column_names, **columns}
    records = _read(path, task, [asked.get(column, column) for column in task.columns], sheet)
    sheet.format = records.format
    sheet.problems += records.problems
    names = _names_in_header(records, task, asked, sheet)
    first_rows: dict[tuple[str, ...], Row] = {}
    for line, record in records.items:
        sheet.count += 1
        if isinstance(record, Problem):
            sheet.problems.append(record)
            continue
        if records.names is None:
            names = _names_in_record(line, record, task, asked, sheet)
        if names is not None:
            _take(row_of(line, record, names, task), sheet, first_rows, task)
    if not sheet.count and not sheet.mistakes:
        sheet.problems.append(Problem(1, "no_rows", "there are no rows in it; add some"))
    sheet.problems.sort(key=lambda problem: problem.line)
    return sheet


def _read(path: Path, task: Task, wanted: Sequence[str], sheet: Sheet) -> Records:
    try:
        if task.raw and (path.is_dir() or path.suffix.lower() in TEXT_SUFFIXES):
            return read_texts(path)
        if path.exists() or not hub.looks_like_id(path):
            return _read_files([path], wanted, sheet)
        return _read_files(hub.find_files(path.as_posix()), wanted, sheet)
    except OSError as error:
        raise RowsRefused(
            f"Cannot read rows from {path}: {error.strerror}. Expected {_EXPECTED}. Check the path."
        ) from error


def _read_files(paths: list[Path], wanted: Sequence[str], sheet: Sheet) -> Records:
    path, suffix = paths[0], paths[0].suffix.lower()
    # What is not there is told so, whatever its name.
    path.stat()
    if suffix == ".parquet":
        return read_parquet(paths)
    if suffix not in (*DELIMITED, ".json", ".jsonl"):
        raise RowsRefused(
            f"Cannot read rows from {path}: its name ends in {suffix!r}, expected {_EXPECTED}; raw "
            "text (.txt, .md, a directory) needs --task raw. Convert it, or rename it if it is one."
        )
    decoded = decode(path.read_bytes())
    sheet.encoding = decoded.encoding
    sheet.problems += decoded.problems
    if suffix in DELIMITED:
        return read_delimited(decoded.text, DELIMITED[suffix], wanted)
    return read_json(decoded.text, suffix)


Names = dict[Column, str]


def _names_in_header(
    records: Records, task: Task, asked: Mapping[Column, str], sheet: Sheet
) -> Names | None:
    """The names of a file that says them once; `None` where one is missing or doubled."""
    if records.names is None:
        return None
    found = find_columns(records.names, asked, task.columns, records.names_line)
    sheet.warnings += [problem for problem in found.problems if problem.gravity == "look"]
    sheet.problems += [problem for problem in found.problems if problem.gravity == "mend"]
    return None if sheet.mistakes else found.names


def _names_in_record(
    line: int, record: Mapping[str, object], task: Task, asked: Mapping[Column, str], sheet: Sheet
) -> Names | None:
    found = find_columns(list(record), asked, task.columns, line, "missing_field")
    missing = [problem for problem in found.problems if problem.gravity == "mend"]
    sheet.problems += missing
    return None if missing else found.names


def row_of(
    line: int, record: Mapping[str, object], names: Mapping[Column, str], task: Task
) -> Row | list[Problem]:
    """Make a row of a record, or say everything that is wrong with it."""
    values = {column: record[name] for column, name in names.items()}
    problems = [
        Problem(line, *fault)
        for column in task.columns
        if (fault := _no_text(names[column], values[column])) is not None
    ]
    if problems:
        return problems
    prompt = _text(values.get("prompt")).strip()
    output = _text(values["output"]).strip("\n")
    answer = _short_text(values.get("answer"))
    faults = list(_faults(prompt, output, task)) or task.check(prompt, output, answer)
    if faults:
        where = f"{record['file']}: " if task.raw and "file" in record else ""
        return [Problem(line, fault.code, where + fault.message) for fault in faults]
    used = {names.get(column) for column in ("prompt", "output", "answer")}
    notes = {
        name: note for name, note in record.items() if name not in used and isinstance(note, str)
    }
    return Row(line, prompt, output, answer, notes, _short_text(values.get("group")))


def _no_text(name: str, value: object) -> cells.Fault | None:
    if isinstance(value, str):
        return None
    if value is None or value != value:  # NaN
        return cells.Fault("null_value", f"{name} is null, expected text; fill it in")
    kind = {dict: "object", list: "list", bool: "true or false"}.get(type(value), "number")
    return cells.Fault("not_text", f"{name} is a {kind}, expected text; write it as text")


def _text(value: object) -> str:
    return str(value or "").replace("\r\n", "\n").replace("\r", "\n")


def _short_text(value: object) -> str | None:
    """A gold answer or a group; numbers are welcome, nothing is nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    text = str(value).strip()
    return None if not text or cells.is_null(text) else text


def _faults(prompt: str, output: str, task: Task) -> Iterator[cells.Fault]:
    if not task.raw:
        yield from cells.cell_faults("prompt", prompt)
    yield from cells.cell_faults("output", output)
    fault = cells.pair_fault(prompt, output)
    if fault is not None:
        yield fault


def _take(
    found: Row | list[Problem], sheet: Sheet, first_rows: dict[tuple[str, ...], Row], task: Task
) -> None:
    """Put a row on the sheet unless it repeats another one, or gives another output for its prompt.

    Where outputs are checked against the gold answer, two that come to the same one are two ways.
    """
    if isinstance(found, list):
        sheet.problems += found
        return
    # One right answer may stand against several wrong ones, each a row of its own.
    key = (found.prompt or found.output, found.notes.get("rejected", ""))
    first = first_rows.setdefault(key, found)
    other = first.output != found.output
    if task.several_ways and other and found.answer is not None and found.answer == first.answer:
        first = first_rows.setdefault((*key, found.output), found)
    if first is found:
        sheet.rows.append(found)
        return
    same = found.output == first.output
    what = "the same prompt and output as" if same else "another output for the prompt of"
    code = "duplicate" if same else "prompt_conflict"
    sheet.problems.append(Problem(found.line, code, f"{what} line {first.line}; left out"))
