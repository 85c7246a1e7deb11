"""Which answer counts: a vote of the programs that pass the checks, weighed by a verifier if asked.

Self-consistency over executed answers (Wang et al. 2022, arXiv 2203.11171); with a verifier its
scores are summed per answer (Li et al. 2022, arXiv 2206.02336). Ties go to the earliest, so to the
greedy program.
"""

from collections.abc import Mapping, Sequence

from service.solving.attempts import Attempt
from service.solving.options import SolvingRules
from service.solving.solution import Abstention, Alternative, Solved, SolvedStep, Verdict


def candidates(attempts: Sequence[Attempt]) -> list[str]:
    """The distinct programs that take part in the vote, the greedy one first if it does."""
    return list(dict.fromkeys(attempt.program for attempt in attempts if attempt.doubt is None))


def decide(attempts: Sequence[Attempt], scores: Mapping[str, float], rules: SolvingRules) -> Solved:
    """Choose an answer, or say why none is given.

    Args:
        attempts: All of one question, the greedy one first.
        scores: The verifier's, by program; empty if none was asked.
        rules: From when on an answer is given.
    """
    groups: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        if attempt.doubt is None and attempt.answer is not None:
            groups.setdefault(attempt.answer, []).append(attempt)
    if not groups:
        return _solved(attempts[0], attempts, abstained=attempts[0].doubt)
    best = max(groups.values(), key=lambda group: _weight(group, scores))
    chosen = max(best, key=lambda attempt: scores.get(attempt.program, 0.0))
    agreement = len(best) / len(attempts) if len(attempts) > 1 else None
    score = scores.get(chosen.program)
    abstained: Abstention | None = None
    if agreement is not None and agreement < rules.min_agreement:
        abstained = "disagreement"
    elif score is not None and score < rules.min_verifier_score:
        abstained = "low_score"
    return _solved(chosen, attempts, abstained=abstained, agreement=agreement, score=score)


def _weight(group: Sequence[Attempt], scores: Mapping[str, float]) -> float:
    return sum(scores.get(attempt.program, 0.0) if scores else 1.0 for attempt in group)


def _solved(
    chosen: Attempt,
    attempts: Sequence[Attempt],
    *,
    abstained: Abstention | None,
    agreement: float | None = None,
    score: float | None = None,
) -> Solved:
    answer = chosen.answer if abstained is None else None
    return Solved(
        answer=answer,
        program=chosen.program,
        trace=[
            SolvedStep(line=step.line, name=step.name, value=step.value, expression=step.expression)
            for step in chosen.trace
        ],
        verdict=Verdict(
            parsed=chosen.parsed,
            executed=chosen.answer is not None,
            grounded=chosen.grounded,
            agreement=agreement,
            verifier_score=score,
            limits=list(chosen.limits),
        ),
        alternatives=_alternatives(attempts, answer),
        abstained=abstained,
    )


def _alternatives(attempts: Sequence[Attempt], answer: str | None) -> list[Alternative]:
    """The other answers, the most frequent first; one that passes the checks stands for its equals."""
    groups: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        if attempt.answer is not None and attempt.answer != answer:
            groups.setdefault(attempt.answer, []).append(attempt)
    found = [
        Alternative(
            answer=other,
            count=len(group),
            doubt=None if any(one.doubt is None for one in group) else group[0].doubt,
        )
        for other, group in groups.items()
    ]
    return sorted(found, key=lambda alternative: -alternative.count)
