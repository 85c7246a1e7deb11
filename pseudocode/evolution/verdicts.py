"""Does a proposed program solve the problem, and with less work than the one before it?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from pseudocode.evolution.confinement import Bounds, CaseRun, ProgramRefused, run

Status = Literal["refused", "failed", "wrong", "no_better", "better"]
Accepts = Callable[[Sequence[JsonValue], JsonValue], bool]
Cost = Callable[[CaseRun], float]


@dataclass(frozen=True)
class Verdict:
    """What running a proposal came to.

    Attributes:
        status: `refused` before running, `failed` with an error, `wrong` in a result, else whether
            it does less work over all cases.
        message: One sentence for people.
        work: Instructions, or what the family counts, over all cases.
        work_before: The same of the program before it.
    """

    status: Status
    message: str
    work: float | None = None
    work_before: float | None = None


def instructions(case: CaseRun) -> float:
    """The default cost: what the interpreter did, which no program can hide."""
    return float(case.instructions)


def judge(
    proposal: tuple[str, str],
    before: tuple[str, str],
    cases: Sequence[Sequence[JsonValue]],
    accepts: Accepts,
    cost: Cost = instructions,
    bounds: Bounds = Bounds(),  # noqa: B008 - frozen
) -> Verdict:
    """Run a proposal and the program before it on the same cases.

    Args:
        proposal: Source and entry of the new program.
        before: Source and entry of the old one.
        cases: Arguments of each call.
        accepts: Whether a result is right for its arguments.
        cost: The work of one call.
        bounds: What each of the two runs may use.
    """
    ran = _attempt(proposal, cases, accepts, bounds)
    if isinstance(ran, Verdict):
        return ran
    old = _attempt(before, cases, accepts, bounds)
    work = sum(map(cost, ran))
    if isinstance(old, Verdict):
        return Verdict(
            "better", f"right on all cases, where the one before is not: {old.message}", work
        )
    work_before = sum(map(cost, old))
    status: Status = "better" if work < work_before else "no_better"
    message = f"right on all {len(cases)} cases; work {work:,.0f} against {work_before:,.0f} before"
    return Verdict(status, message, work, work_before)


def _attempt(
    program: tuple[str, str],
    cases: Sequence[Sequence[JsonValue]],
    accepts: Accepts,
    bounds: Bounds,
) -> list[CaseRun] | Verdict:
    try:
        ran = run(*program, cases, bounds)
    except ProgramRefused as error:
        return Verdict("refused", f"not run: {error}")
    for arguments, case in zip(cases, ran, strict=True):
        if case.error is not None:
            return Verdict("failed", case.error)
        if not _accepted(accepts, arguments, case.result):
            return Verdict(
                "wrong", f"returned {str(case.result)[:80]} for a case; expected another"
            )
    return ran


def _accepted(accepts: Accepts, arguments: Sequence[JsonValue], result: JsonValue) -> bool:
    """A result of another shape than the check expects is wrong, not an error of ours."""
    try:
        return accepts(arguments, result)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError):
        return False
