"""JSON lines, JSON arrays and JSON values in a row: records with the line they start at.

What the file's name says is not trusted: an array in a .jsonl file is read as one.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from training.codes import Problem
from training.reading.records import Records

_LINE_END = re.compile(r"\r\n|\r|\n")
_SPACE = re.compile(r"[ \t\r\n]*")
_ARRAY = re.compile(r"\[\s*[\]{]")
_NEXT_OBJECT = re.compile(r"[\r\n][ \t]*(?=\{)")
_REMEDIES = {
    "Extra data": "one value a line and nothing behind it, no comma either",
    "Expecting property name enclosed in double quotes": "double quotes, and no comma at the end",
    "Expecting value": "text in double quotes, null, true or false",
    "Unterminated string starting at": "the quote closed on the same line, newlines as \\n",
    "Invalid control character at": "newlines as \\n and tabs as \\t",
}


class _DoubledFieldError(ValueError):
    """An object has a field twice."""


class Scan(NamedTuple):
    """A value, or what is wrong, with its line."""

    line: int
    value: object


def read_json(text: str, suffix: str) -> Records:
    """Read every record of a JSON or JSON-lines file.

    Args:
        text: The whole file.
        suffix: `.json` or `.jsonl`, what the file calls itself.
    """
    start = _skip_space(text, 0)
    if _ARRAY.match(text, start):
        return _records("json", _array(text, start), suffix)
    if _first_line_is_json(text) or not text[start:].startswith("{"):
        return _records("jsonl", _lines(text), suffix)
    whole = _value(text, start)
    if isinstance(whole, Problem) or _LINE_END.search(text, start, whole[1]) is None:
        return _records("jsonl", _lines(text), suffix)
    inside = _only_list(text, whole[0])
    scans = _array(text, inside, alone=False) if inside is not None else _sequence(text, start)
    return _records("json", scans, suffix)


def _records(kind: str, scans: Iterator[Scan], suffix: str) -> Records:
    records = Records(kind)
    for line, value in scans:
        if isinstance(value, (Problem, dict)):
            records.items.append((line, value))
        else:
            name = {list: "list", str: "text", type(None): "null"}.get(type(value), "number")
            message = f'a JSON {name}, expected an object such as {{"prompt": ..., "output": ...}}'
            records.items.append((line, Problem(line, "not_an_object", message)))
    if suffix == ".jsonl" and kind == "json" and records.items:
        message = "this is JSON over several lines, not one object a line; it was read as such"
        records.problems.append(Problem(1, "other_format", message))
    return records


def _first_line_is_json(text: str) -> bool:
    first = next((line for line in _LINE_END.split(text) if line.strip()), "")
    return not isinstance(_load(first, 1), Problem)


def _lines(text: str) -> Iterator[Scan]:
    for number, line in enumerate(_LINE_END.split(text), 1):
        if line.strip():
            yield Scan(number, _load(line, number))


def _load(line: str, number: int) -> object:
    found = _value(line, _skip_space(line, 0), number)
    if isinstance(found, Problem):
        return found
    value, end = found
    if line[end:].strip():
        return _malformed(number, "Extra data")
    return value


def _array(text: str, start: int, *, alone: bool = True) -> Iterator[Scan]:
    """The values of an array; after a broken one, reading goes on at the next object."""
    at, line = start + 1, _lines_before(text, 0, start + 1) + 1
    while True:
        begin = _skip_space(text, at, also=",")
        line += _lines_before(text, at, begin)
        if begin >= len(text):
            yield Scan(line, _malformed(line, "the array is not closed with ]"))
            return
        if text[begin] == "]":
            rest = _skip_space(text, begin + 1)
            if alone and rest < len(text):
                line += _lines_before(text, begin, rest)
                yield Scan(line, _malformed(line, "Extra data"))
            return
        found = _value(text, begin, line)
        if isinstance(found, Problem):
            yield Scan(line, found)
            there = _NEXT_OBJECT.search(text, begin)
            if there is None:
                return
            at = there.end()
        else:
            yield Scan(line, found[0])
            at = found[1]
        line += _lines_before(text, begin, at)


def _sequence(text: str, start: int) -> Iterator[Scan]:
    """Values one after the other, each over as many lines as it likes."""
    line = _lines_before(text, 0, start) + 1
    while start < len(text):
        found = _value(text, start, line)
        yield Scan(line, found if isinstance(found, Problem) else found[0])
        if isinstance(found, Problem):
            there = _NEXT_OBJECT.search(text, start)
            end = there.end() if there else len(text)
        else:
            end = _skip_space(text, found[1])
        line += _lines_before(text, start, end)
        start = end


def _value(text: str, start: int, line: int = 1) -> tuple[object, int] | Problem:
    """The value at a position and where it ends."""
    try:
        return _DECODER.raw_decode(text, start)
    except _DoubledFieldError as error:
        return Problem(line, "duplicate_field", f"the field {error} is there twice; remove one")
    except json.JSONDecodeError as error:
        return _malformed(line, error.msg)
    except (ValueError, RecursionError) as error:
        return _malformed(line, str(error))


def _malformed(line: int, reason: str) -> Problem:
    remedy = _REMEDIES.get(reason)
    expected = f", expected {remedy}" if remedy else ""
    return Problem(line, "malformed_json", f"this is not JSON: {reason}{expected}")


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _DoubledFieldError(repr(name))
            seen.add(name)
    return record


_DECODER = json.JSONDecoder(object_pairs_hook=_without_doubles)


def _only_list(text: str, whole: object) -> int | None:
    """Where the one list of objects in `{"data": [...]}` begins."""
    if not isinstance(whole, dict):
        return None
    lists = [
        name
        for name, value in whole.items()
        if isinstance(value, list) and value and isinstance(value[0], dict)
    ]
    if len(lists) != 1:
        return None
    found = re.search(re.escape(json.dumps(lists[0], ensure_ascii=False)) + r"\s*:\s*(?=\[)", text)
    return found.end() if found else None


def _skip_space(text: str, start: int, also: str = "") -> int:
    pattern = re.compile(rf"[ \t\r\n{also}]*") if also else _SPACE
    found = pattern.match(text, start)
    return found.end() if found else start


def _lines_before(text: str, start: int, end: int) -> int:
    """How many lines end between two positions."""
    part = text[start:end]
    return part.count("\n") + part.count("\r") - part.count("\r\n")
