"""Files of rows → files of chains: from programs, from GSM8K's own words, and spoiled ones."""

import csv
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from reasoning import check
from training.chains.corrupting import corruptions
from training.chains.errors import ChainError
from training.chains.verbalising import Language, verbalise
from training.row_writing import write_rows

ROWS = ("prompt", "output", "answer", "language", "group")
PAIRS = ("prompt", "chosen", "rejected", "kind", "group")
_ANNOTATION = re.compile(r"<<[^<>]*>>")


def from_programs(source: Path, out: Path, language: Language) -> Counter[str]:
    """Write rows whose programs are written out in a language; return what became of each row.

    Raises:
        ChainError: The file has no `prompt` and `output`.
        NotWritten: The result cannot be written.
    """
    found: Counter[str] = Counter()
    rows = []
    for row in _rows(source, "prompt", "output"):
        text = verbalise(row["output"], language)
        found["kept" if text else "cannot be written out"] += 1
        if text:
            answer = check(text).answer or ""
            group = row.get("group") or row.get("template") or row.get("source") or row["prompt"]
            rows.append((row["prompt"], text, answer, language, group))
    write_rows(out, ROWS, rows)
    return found


def from_gsm8k(source: Path, out: Path) -> Counter[str]:
    """Write GSM8K's own solutions whose every calculation comes out; return what became of each.

    Raises:
        ChainError: The file is not GSM8K's train.jsonl.
        NotWritten: The result cannot be written.
    """
    found: Counter[str] = Counter()
    rows = []
    for at, line in enumerate(source.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            record = json.loads(line)
            solution, gold = record["answer"].split("####")
            question = record["question"].strip()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ChainError(
                f"{source} line {at} is no row of GSM8K: expected `question` and `answer` with "
                "`#### N`. Give GSM8K's train.jsonl."
            ) from error
        gold = gold.strip().replace(",", "")
        text = f"{_ANNOTATION.sub('', solution).strip()}\nAnswer: {gold}"
        consistent = check(text, gold).consistent
        found["kept" if consistent else "a calculation does not come out"] += 1
        if consistent:
            rows.append((question, text, gold, "en", f"gsm8k/train/{at}"))
    write_rows(out, ROWS, rows)
    return found


def spoil(source: Path, out: Path, seed: int) -> Counter[str]:
    """Write preference rows: each right chain against its corruptions; return how many of a kind.

    Raises:
        ChainError: The file has no `prompt` and `output`.
        NotWritten: The result cannot be written.
    """
    found: Counter[str] = Counter()
    pairs = []
    for row in _rows(source, "prompt", "output"):
        if not check(row["output"], row.get("answer") or None).consistent:
            found["left out: the chain itself is wrong"] += 1
            continue
        for kind, text in corruptions(row["output"], zlib.crc32(row["prompt"].encode()) + seed):
            found[kind] += 1
            pairs.append((row["prompt"], row["output"], text, kind, row.get("group") or ""))
    write_rows(out, PAIRS, pairs)
    return found


def _rows(source: Path, *needed: str) -> Iterator[dict[str, str]]:
    try:
        text = source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ChainError(f"cannot read {source}: {error}. Give a CSV file in UTF-8.") from error
    reader = csv.DictReader(text.splitlines(keepends=True), strict=True)
    missing = [name for name in needed if name not in (reader.fieldnames or [])]
    if missing:
        raise ChainError(
            f"{source} has no column {missing[0]!r}, but {', '.join(reader.fieldnames or [])}. "
            "Give rows as training.problems or training.conversion write them."
        )
    try:
        yield from reader
    except csv.Error as error:
        raise ChainError(f"{source} line {reader.line_num}: {error}. Mend that row.") from error
