"""Read files of lineages and name every mistake in them, by file and node."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from training.lineage import graph
from training.lineage.errors import LineageError, LineagesRefused
from training.lineage.graph import Finding
from training.lineage.schema import Lineage

SHIPPED = Path(__file__).parent / "chains"
MAX_FILE_BYTES = 1 << 20


def load(paths: Iterable[Path] = ()) -> list[Lineage]:
    """Read lineages, those shipped if no file is named.

    Args:
        paths: Files, or directories of .yaml files.

    Raises:
        LineagesRefused: Some file has a mistake.
        LineageError: A path does not exist, or there is no lineage.
    """
    lineages, findings = inspect(paths)
    if findings:
        raise LineagesRefused(findings)
    return lineages


def inspect(paths: Iterable[Path] = ()) -> tuple[list[Lineage], list[Finding]]:
    """Read lineages and everything wrong with them.

    Raises:
        LineageError: A path does not exist, or there is no lineage.
    """
    lineages: list[Lineage] = []
    findings: list[Finding] = []
    first_file: dict[str, Path] = {}
    for path in _files(paths):
        lineage, found = _read(path)
        findings += found
        if lineage is None:
            continue
        if (first := first_file.setdefault(lineage.id, path)) != path:
            message = f"the id is that of {first} too; choose another"
            findings.append(Finding(str(path), lineage.id, "double_lineage", message))
        lineages.append(lineage)
    return lineages, findings


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in list(paths) or [SHIPPED]:
        if not path.exists():
            raise LineageError(f"there is no {path}; expected a .yaml file or a folder of them")
        files += sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise LineageError("there is no .yaml file in the folder given; expected at least one")
    return files


def _read(path: Path) -> tuple[Lineage | None, list[Finding]]:
    name = str(path)
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_FILE_BYTES:
            return None, [
                _of_file(name, "too_large", f"{len(raw)} bytes, at most {MAX_FILE_BYTES}")
            ]
        document = yaml.safe_load(raw.decode("utf-8"))
    except OSError as error:
        return None, [_of_file(name, "unreadable", f"cannot be read: {error.strerror}")]
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        return None, [_of_file(name, "not_yaml", f"this is not YAML in UTF-8: {reason}")]
    try:
        lineage = Lineage.model_validate(document)
    except ValidationError as error:
        return None, [_finding(name, details, document) for details in error.errors()]
    return lineage, graph.check(name, lineage)


def _of_file(name: str, code: str, message: str) -> Finding:
    return Finding(name, "file", code, message)


def _finding(name: str, details: ErrorDetails, document: object) -> Finding:
    location = list(details["loc"])
    place = _place(location, document)
    field = ".".join(str(part) for part in location[2:] or location)
    got = details["input"]
    shown = f", got {str(got)[:60]!r}" if isinstance(got, str | int | float) else ""
    message = f"{field or 'the document'}: {details['msg'].removeprefix('Value error, ')}{shown}"
    return Finding(name, place, details["type"], message)


def _place(location: list[int | str], document: object) -> str:
    """Name the node or edge that a place in the document belongs to."""
    if len(location) < 2 or not isinstance(document, Mapping):
        return "file"
    section, index = location[0], location[1]
    items = document.get(section)
    item = items[index] if isinstance(items, list) and isinstance(index, int) else None
    if not isinstance(item, Mapping):
        return f"{section} {index}"
    if section == "edges":
        return f"{item.get('from', '?')} -> {item.get('to', '?')}"
    return str(item.get("id", f"{section} {index}"))
