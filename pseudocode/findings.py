"""What makes a program doubtful although it runs: dead steps, numbers from nowhere, no reasoning."""

from collections.abc import Set
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pseudocode.errors import shortened
from pseudocode.flow import flow_of
from pseudocode.liveness import unused_steps
from pseudocode.numbers import format_number
from pseudocode.program import Apply, Line, Name, Number, Program
from pseudocode.question_numbers import grounded_numbers
from pseudocode.units import mismatches


@dataclass(frozen=True, slots=True)
class Finding:
    """One doubt about one line."""

    code: Literal["unused_step", "ungrounded_literal", "returns_literal", "unlike_units"]
    message: str
    line: int


def check(program: Program, question: str | None = None) -> tuple[Finding, ...]:
    """Look for doubtful lines, in the order of the lines.

    Literals are compared with the question only where one is given. A literal is grounded when it
    is one of `CONSTANTS`, or a number that the question gives in digits or in words.
    """
    findings = [*_unused(program), *_literal_answer(program), *_unlike(program)]
    if question is not None:
        findings += _ungrounded(program, grounded_numbers(question))
    return tuple(sorted(findings, key=lambda finding: finding.line))


def _unused(program: Program) -> list[Finding]:
    return [
        Finding(
            "unused_step",
            f"`{shortened(line.name)}` does not reach the answer; expected every step to be used. "
            "Use it or take the line away.",
            line.number,
        )
        for line in unused_steps(program)
    ]


def _unlike(program: Program) -> list[Finding]:
    return [
        Finding(
            "unlike_units",
            f"The line {found.what}; expected values of one unit, or a comment with the unit that "
            "comes out. Check what is computed with what.",
            found.line.number,
        )
        for found in mismatches(program)
    ]


def _literal_answer(program: Program) -> list[Finding]:
    depth = flow_of(program.lines).depth
    rows = list(zip(program.lines, depth, strict=True))
    # What a block decides is more than a literal.
    decided = {line.name for line, blocks in rows if blocks or line.kind in ("for each", "append")}
    copies: set[str] = set()
    for line, blocks in rows:
        if blocks or line.kind != "step" or line.name in decided or not _is_literal(line, copies):
            copies.discard(line.name)
        else:
            copies.add(line.name)
    last = program.lines[-1]
    if not _is_literal(last, copies):
        return []
    return [
        Finding(
            "returns_literal",
            f"The answer is a literal that nothing computes (`{shortened(last.text)}`); expected steps that "
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
            f"{shortened(format_number(part.value))} is neither in the question nor a usual constant; expected "
            "the question's own numbers. Take it from there or compute it.",
            line.number,
        )
        for line in program.lines
        for part in line.code
        if isinstance(part, Number) and not _is_grounded(part, grounded)
    ]


def _is_grounded(number: Number, grounded: Set[Fraction]) -> bool:
    """Whether a number may be used; of a percentage, what stands before its sign is enough."""
    return number.value in grounded or (number.percent and number.value * 100 in grounded)
