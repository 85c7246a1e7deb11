"""Drawn programs → right or wrong by the known answer, deduplicated, and balanced."""

import hashlib
import re
from collections.abc import Sequence
from typing import NamedTuple

import pseudocode
from pseudocode.findings import check
from pseudocode.formatter import format_program
from pseudocode.verifying import RIGHT, WRONG, verifier_prompt
from training.rows import Row
from training.tasks import same_number

VERIFIER_COLUMNS = ("prompt", "output", "group")
SOLVED_COLUMNS = ("prompt", "output", "answer", "group")


class Judged(NamedTuple):
    """One program that computes a number, and whether it is the known answer."""

    question: Row
    program: str
    right: bool


def judge(question: Row, programs: Sequence[str]) -> list[Judged]:
    """Run programs; each counts once, however it is spaced, and those without a number not at all.

    A program without a number is never put before a verifier, so there is nothing to learn of it.
    """
    found: dict[str, Judged] = {}
    for program in map(str.strip, programs):
        try:
            parsed = pseudocode.parse(program)
        except pseudocode.ParseError:
            continue
        result = pseudocode.run(parsed)
        if result.answer is not None and result.value is not None:
            right = same_number(result.answer, question.answer or "")
            found.setdefault(format_program(parsed), Judged(question, program, right))
    return list(found.values())


def balanced(judged: Sequence[Judged]) -> list[Judged]:
    """As many right as wrong programs: all of the fewer, and of the more those that teach most.

    Programs of questions that have both come first; else one of each question, then a second, and
    so on, so that no question outweighs the others. Equal input gives equal rows.
    """
    right = [one for one in judged if one.right]
    wrong = [one for one in judged if not one.right]
    few, many = sorted((right, wrong), key=len)
    contrasted = {one.question.prompt for one in few}
    seen: dict[str, int] = {}
    ranked = []
    for one in many:
        question = one.question.prompt
        seen[question] = seen.get(question, 0) + 1
        ranked.append((question not in contrasted, seen[question], _digest(question), one))
    ranked.sort(key=lambda entry: entry[:3])
    chosen = {id(entry[3]) for entry in ranked[: len(few)]} | {id(one) for one in few}
    return [one for one in judged if id(one) in chosen]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def verifier_rows(judged: Sequence[Judged]) -> list[tuple[str, str, str]]:
    """The rows of a verifier, in the form in which it is asked when served."""
    return [
        (
            verifier_prompt(one.question.prompt, one.program),
            RIGHT if one.right else WRONG,
            group_of(one.question),
        )
        for one in judged
    ]


def solved_rows(judged: Sequence[Judged]) -> list[tuple[str, str, str, str]]:
    """New rows of the solver: right programs beyond doubt that calculate otherwise than the given.

    Names are not counted as a difference. A program that comes to the answer with numbers from
    nowhere, or with steps that lead nowhere, came to it by luck.
    """
    known: dict[str, set[str]] = {}
    rows = []
    for one in judged:
        question = one.question
        ways = known.setdefault(question.prompt, {_way(question.output)})
        if one.right and not _doubtful(one) and (way := _way(one.program)) not in ways:
            ways.add(way)
            rows.append((question.prompt, one.program, question.answer or "", group_of(question)))
    return rows


def _doubtful(one: Judged) -> bool:
    return bool(check(pseudocode.parse(one.program), one.question.prompt))


def _way(text: str) -> str:
    """The canonical text of a program with its names numbered as they come."""
    program = pseudocode.parse(text)
    names = dict.fromkeys(line.name for line in program.lines if line.name)
    written = format_program(program)
    for place, name in enumerate(names):
        written = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", f"@{place}", written)
    return written


def group_of(question: Row) -> str:
    """What the rows of one question share, so that a split never parts them."""
    return question.group or question.notes.get("source") or question.prompt
