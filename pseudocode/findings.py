"""What makes a program doubtful although it runs: dead steps, numbers from nowhere, no reasoning."""

import re
import unicodedata
from collections.abc import Set
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pseudocode.numbers import format_number, read_number
from pseudocode.program import Apply, Line, Name, Number, Program
from pseudocode.question_numbers import given_numbers

# Numbers a program may use without the question giving them: identities, halves and quarters,
# 3.14 for circles, days, months or a dozen, hours, weeks, minutes, percent, thousands.
CONSTANTS = frozenset(
    map(
        Fraction,
        [
            "0",
            "0.5",
            "1",
            "2",
            "3.14",
            "4",
            "7",
            "10",
            "12",
            "24",
            "30",
            "52",
            "60",
            "100",
            "365",
            "1000",
        ],
    ),
)

_QUESTION_NUMBER = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(\s*%)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Finding:
    """One doubt about one line."""

    code: Literal["unused_step", "ungrounded_literal", "returns_literal"]
    message: str
    line: int


def check(program: Program, question: str | None = None) -> tuple[Finding, ...]:
    """Look for doubtful lines, in the order of the lines.

    Literals are compared with the question only where one is given. A literal is grounded when it
    is one of `CONSTANTS`, or a number that the question gives in digits or in words.
    """
    findings = [*_unused(program), *_literal_answer(program)]
    if question is not None:
        findings += _ungrounded(program, given_numbers(question) | CONSTANTS)
    return tuple(sorted(findings, key=lambda finding: finding.line))


def numbers_in(question: str) -> frozenset[Fraction]:
    """Return the numbers that a question writes in digits, full-width ones included."""
    found: set[Fraction] = set()
    for whole, decimals, percent in _QUESTION_NUMBER.findall(
        unicodedata.normalize("NFKC", question)
    ):
        value = read_number(whole.replace(",", "") + decimals)
        found.add(value)
        if percent:
            found.add(value / 100)
    return frozenset(found)


def _unused(program: Program) -> list[Finding]:
    """Lines that the answer does not depend on, found from the return line upwards."""
    needed = {"return"}
    findings = []
    for line in reversed(program.lines):
        if line.name not in needed:
            findings.append(
                Finding(
                    "unused_step",
                    f"`{line.name}` does not reach the answer; expected every step to be used. "
                    "Use it or take the line away.",
                    line.number,
                )
            )
            continue
        needed.discard(line.name)
        needed |= {part.name for part in line.code if isinstance(part, Name)}
    return findings


def _literal_answer(program: Program) -> list[Finding]:
    copies: set[str] = set()
    for line in program.lines:
        if _is_literal(line, copies):
            copies.add(line.name)
        else:
            copies.discard(line.name)
    if "return" not in copies:
        return []
    last = program.lines[-1]
    return [
        Finding(
            "returns_literal",
            f"The answer is a literal that nothing computes (`{last.text}`); expected steps that "
            "lead to it. Write the calculation.",
            last.number,
        )
    ]


def _is_literal(line: Line, copies: Set[str]) -> bool:
    """Whether a line only repeats a literal, with or without signs, or a name for one."""
    for part in line.code:
        if isinstance(part, Apply) and part.operation != "negate":
            return False
        if isinstance(part, Name) and part.name not in copies:
            return False
    return True


def _ungrounded(program: Program, grounded: Set[Fraction]) -> list[Finding]:
    return [
        Finding(
            "ungrounded_literal",
            f"{format_number(part.value)} is neither in the question nor a usual constant; expected "
            "the question's own numbers. Take it from there or compute it.",
            line.number,
        )
        for line in program.lines
        for part in line.code
        if isinstance(part, Number) and part.value not in grounded
    ]
