"""Files of rows → files of chains: from programs, from GSM8K's own words, and spoiled ones."""

import json
import re
import zlib
from collections import Counter
from pathlib import Path

from reasoning import check
from training.chains.corrupting import corruptions
from training.chains.errors import ChainError
from training.chains.verbalising import Language, verbalise
from training.row_writing import write_rows
from training.rows import Row, read_rows
from training.tasks import TASKS, TaskName

ROWS = ("prompt", "output", "answer", "language", "group")
PAIRS = ("prompt", "chosen", "rejected", "kind", "group")
_ANNOTATION = re.compile(r"<<[^<>]*>>")


def from_programs(source: Path, out: Path, language: Language) -> Counter[str]:
    """Write rows whose programs are written out in a language; return what became of each row.

    Raises:
        ChainError: No row of the file is a question with a program that runs.
        RowsRefused: The file cannot be read.
        NotWritten: The result cannot be written.
    """
    found: Counter[str] = Counter()
    rows = []
    for row in _rows(source, "pseudocode", found):
        text = verbalise(row.output, language)
        found["kept" if text else "cannot be written out"] += 1
        if text:
            notes = row.notes
            group = row.group or notes.get("template") or notes.get("source") or row.prompt
            rows.append((row.prompt, text, check(text).answer or "", language, group))
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
        ChainError: No row of the file is a question with a right chain.
        RowsRefused: The file cannot be read.
        NotWritten: The result cannot be written.
    """
    found: Counter[str] = Counter()
    pairs = []
    for row in _rows(source, "cot", found):
        if not check(row.output, row.answer).consistent:
            found["left out: no step comes to the conclusion"] += 1
            continue
        for kind, text in corruptions(row.output, zlib.crc32(row.prompt.encode()) + seed):
            found[kind] += 1
            pairs.append((row.prompt, row.output, text, kind, row.group or ""))
    write_rows(out, PAIRS, pairs)
    return found


def _rows(source: Path, task: TaskName, found: Counter[str]) -> list[Row]:
    """Read the rows that the task's own checks let through; the others are counted in `found`."""
    sheet = read_rows(source, TASKS[task], {})
    if not sheet.rows:
        first = sheet.problems[0]
        raise ChainError(
            f"{source} has no row to write chains from, the first problem being in {first}. Give "
            f"rows that `python -m training.data check {source} --task {task}` finds nothing in."
        )
    for problem in sheet.losses:
        found[f"left out: {problem.code}"] += 1
    return sheet.rows
