"""Two steps ahead: a model's own proposal is put at the end of the chain and it is asked again."""

from collections.abc import Sequence

from pydantic import BaseModel

from pseudocode.evolution.wording import (
    Proposal,
    UnreadableProposal,
    as_stage,
    chain_prompt,
    read_proposal,
)
from training.evaluate import Share, wilson
from training.lineage.changes import share_kept
from training.lineage.evaluation.models import Model
from training.lineage.evaluation.novelty import Novelty, TrainingText
from training.lineage.graph import Chain, chains
from training.lineage.schema import Lineage
from training.lineage.stages import stages

MAX_TOKENS = 512


class Step(BaseModel):
    """One proposal of a roll-out.

    Attributes:
        kept: Lines shared with the algorithm before it, from 0 to 1; 1 is a plain copy.
    """

    answer: str
    readable: bool
    kept: float | None = None
    novelty: Novelty | None = None


class RollOut(BaseModel):
    """What a model proposed for one chain, one step and two steps ahead."""

    lineage: str
    chain: list[str]
    true_next: str
    steps: list[Step]


class RollOutScore(BaseModel):
    """Shares over all chains, with 95 % intervals.

    Attributes:
        readable: Steps that are proposals, by distance.
        copies: Readable steps that repeat the algorithm before them to nine tenths, by distance.
        new_share: Mean share of n-grams not in the training text, by distance.
    """

    readable: list[Share]
    copies: list[Share]
    new_share: list[float]
    roll_outs: list[RollOut]


def roll_out(
    model: Model,
    lineages: Sequence[Lineage],
    training: TrainingText,
    *,
    after_year: int | None,
    steps: int = 2,
    limit: int | None = None,
) -> RollOutScore:
    """Ask for the step after every held-out chain, then for the one after that."""
    longest: dict[tuple[str, str], Chain] = {}
    for lineage in lineages:
        for chain in chains(lineage):
            if after_year is None or chain.last.year > after_year:
                longest[lineage.id, chain.nodes[-2].id] = chain
    chosen = list(longest.values())[:limit]
    return summary([_roll(model, chain, training, steps) for chain in chosen], steps)


def summary(roll_outs: Sequence[RollOut], steps: int) -> RollOutScore:
    """Count over all chains, by distance."""
    readable, copies, new = [], [], []
    for distance in range(steps):
        reached = [item.steps[distance] for item in roll_outs if len(item.steps) > distance]
        good = [step for step in reached if step.readable]
        readable.append(wilson(len(good), len(roll_outs)))
        copies.append(wilson(sum((step.kept or 0) >= 0.9 for step in good), len(good)))
        shares = [step.novelty.new_share for step in good if step.novelty]
        new.append(sum(shares) / len(shares) if shares else 0.0)
    return RollOutScore(readable=readable, copies=copies, new_share=new, roll_outs=list(roll_outs))


def _roll(model: Model, chain: Chain, training: TrainingText, steps: int) -> RollOut:
    before = Chain(chain.lineage, chain.nodes[:-1], chain.edges[:-1])
    told = stages(before)
    done: list[Step] = []
    for _ in range(steps):
        answer = model.write(chain_prompt(chain.lineage.purpose, told), MAX_TOKENS)
        step, proposed = _read(answer, told[-1].pseudocode, training)
        done.append(step)
        if proposed is None:
            break
        told = [*told, as_stage(proposed)]
    return RollOut(
        lineage=chain.lineage.id,
        chain=[node.id for node in before.nodes],
        true_next=chain.last.id,
        steps=done,
    )


def _read(answer: str, before: str, training: TrainingText) -> tuple[Step, Proposal | None]:
    try:
        proposed = read_proposal(answer)
    except UnreadableProposal:
        return Step(answer=answer, readable=False), None
    kept = share_kept(before, proposed.pseudocode)
    step = Step(answer=answer, readable=True, kept=kept, novelty=training.novelty_of(answer))
    return step, proposed
