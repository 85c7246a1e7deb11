"""Proposed programs, run: do they parse, are they right, do they do less than the one before?"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from pseudocode.evolution.confinement import CaseRun
from pseudocode.evolution.screening import only_function
from pseudocode.evolution.verdicts import Verdict, instructions, judge
from pseudocode.evolution.wording import (
    ProgramStage,
    UnreadableProposal,
    chain_prompt,
    read_proposal,
)
from training.evaluate import Share, wilson
from training.lineage.evaluation.models import Model
from training.lineage.measuring import cost_of, drawn, program_of
from training.lineage.programs.families import Family
from training.lineage.schema import Edge, Lineage
from training.lineage.stages import source_of, stage

CASES = 3
MAX_TOKENS = 768


class ProgramCase(BaseModel):
    """One program to improve, what a model wrote, and what came of it."""

    lineage: str
    parent: str
    child: str
    answer: str
    status: str
    message: str
    work: float | None = None
    work_before: float | None = None


class ProgramScore(BaseModel):
    """Shares of all proposals, with 95 % intervals.

    Attributes:
        readable: The answer had a name and a program.
        right: The program gave right results on all cases.
        better: It also did less work than the one before.
    """

    readable: Share
    right: Share
    better: Share
    cases: list[ProgramCase]


def improve(
    model: Model, lineages: Sequence[Lineage], after_year: int | None, limit: int | None = None
) -> ProgramScore:
    """Ask a model to improve programs, and run what it writes."""
    steps = [
        (lineage, edge)
        for lineage in lineages
        for edge in lineage.edges
        if edge.measured_on is not None
        and (after_year is None or lineage.node(edge.child).year > after_year)
    ]
    return scored([_improve(model, *step) for step in steps[:limit]])


def scored(cases: Sequence[ProgramCase]) -> ProgramScore:
    """Count what became of proposals."""
    counts = Counter(case.status for case in cases)
    total = len(cases)
    return ProgramScore(
        readable=wilson(total - counts["unreadable"], total),
        right=wilson(counts["no_better"] + counts["better"], total),
        better=wilson(counts["better"], total),
        cases=list(cases),
    )


def judge_program(found: Family, inputs: str, proposal: str, before: tuple[str, str]) -> Verdict:
    """Run a proposal against the program before it on inputs of the family's smallest size."""
    entry = only_function(proposal)
    cases = drawn(found, inputs, found.sizes[0], CASES)
    return judge(
        (proposal, entry or ""),
        before,
        cases,
        lambda arguments, result: found.accepts(list(arguments), result),
        _misses if found.counted == "misses" else instructions,
    )


def _misses(case: CaseRun) -> float:
    """A cache is not measured by its own work, but by the requests that it could not serve."""
    result: Any = case.result
    return float(sum(not hit for hit in result))


def _improve(model: Model, lineage: Lineage, edge: Edge) -> ProgramCase:
    parent = lineage.node(edge.parent)
    found, entry = program_of(parent)
    inputs = edge.measured_on or ""
    size = found.sizes_of.get(entry, found.sizes)[0]
    program = ProgramStage(source_of(parent), cost_of(found, entry, inputs, size))
    answer = model.write(
        chain_prompt(lineage.purpose, [stage(parent)], program=program), MAX_TOKENS
    )
    known = {"lineage": lineage.id, "parent": edge.parent, "child": edge.child, "answer": answer}
    try:
        proposed = read_proposal(answer).pseudocode
    except UnreadableProposal as error:
        return ProgramCase(**known, status="unreadable", message=str(error))
    verdict = judge_program(found, inputs, proposed, (source_of(parent), entry))
    return ProgramCase(
        **known,
        status=verdict.status,
        message=verdict.message,
        work=verdict.work,
        work_before=verdict.work_before,
    )
