"""Multiple choice by likelihood: which algorithm comes next, and which change answers a weakness."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pydantic import BaseModel

from pseudocode.evolution.wording import ASK_NEXT, chain_prompt, proposal_text
from training.evaluate import Share, wilson
from training.lineage.evaluation.models import Model
from training.lineage.graph import Chain, chains
from training.lineage.schema import Edge, Lineage, Node
from training.lineage.stages import proposal, stage, stages


class Case(NamedTuple):
    """One question; the right output is at `right`."""

    prompt: str
    outputs: list[str]
    right: int
    group: str


class ChoiceScore(BaseModel):
    """Right answers, against what guessing gives.

    Attributes:
        right: The share chosen right, with its 95 % interval.
        chance: The share that guessing would choose right.
        mean_rank: Of the right output, 1 being best.
    """

    right: Share
    chance: float
    mean_rank: float


def ranking_cases(
    lineages: Sequence[Lineage], distractors: int, seed: int, after_year: int | None
) -> list[Case]:
    """The true next algorithm of a chain among others.

    Half of the others are of the same lineage where it has so many, so that the subject alone does
    not give the answer away.

    Args:
        lineages: Where chains and others come from.
        distractors: Wrong outputs for each question.
        seed: Of what is drawn.
        after_year: Only chains whose last node is younger, if given.
    """
    rng = random.Random(seed)  # noqa: S311 - choices, not secrets
    steps = [(lineage, edge) for lineage in lineages for edge in lineage.edges]
    cases: dict[str, Case] = {}
    for chain in _chains(lineages, after_year):
        edge, child = chain.edges[-1], chain.last
        before = Chain(chain.lineage, chain.nodes[:-1], chain.edges[:-1])
        shown = {node.id for node in before.nodes}
        wrong = _wrong(steps, chain.lineage, edge, shown, distractors, rng)
        outputs = [_told(node, via) for node, via in [(child, edge), *wrong]]
        prompt = chain_prompt(chain.lineage.purpose, stages(before))
        cases.setdefault(prompt, _shuffled(prompt, outputs, chain.lineage.id, rng))
    return list(cases.values())


def matching_cases(
    lineages: Sequence[Lineage], distractors: int, seed: int, after_year: int | None
) -> list[Case]:
    """The change that answers a weakness, among changes that answer others."""
    rng = random.Random(seed)  # noqa: S311 - choices, not secrets
    steps = [(lineage, edge) for lineage in lineages for edge in lineage.edges]
    cases = []
    for lineage, edge in steps:
        if after_year is not None and lineage.node(edge.child).year <= after_year:
            continue
        wrong = _wrong(steps, lineage, edge, {edge.parent}, distractors, rng)
        parent = stage(lineage.node(edge.parent))
        prompt = chain_prompt(lineage.purpose, [parent], weakness=edge.weakness)
        right = (lineage.node(edge.child), edge)
        outputs = [_told(node, via) for node, via in [right, *wrong]]
        cases.append(_shuffled(prompt, outputs, lineage.id, rng))
    return cases


def choose(model: Model, cases: Sequence[Case]) -> ChoiceScore:
    """Let a model choose by what the prompt adds to the mean log-probability of an output's tokens.

    Some outputs are likelier than others whatever is asked, by their words and their length. So the
    log-probability after a prompt that asks and tells nothing is taken off (Holtzman et al. 2021,
    Surface form competition, arXiv:2104.08315: domain-conditional pointwise mutual information).
    """
    ranks = []
    anyway: dict[str, float] = {}
    for case in cases:
        new = [output for output in case.outputs if output not in anyway]
        anyway.update(zip(new, model.score(ASK_NEXT, new), strict=True))
        told = model.score(case.prompt, case.outputs)
        scores = [score - anyway[output] for score, output in zip(told, case.outputs, strict=True)]
        ranks.append(1 + sum(score > scores[case.right] for score in scores))
    count = len(ranks)
    return ChoiceScore(
        right=wilson(sum(rank == 1 for rank in ranks), count),
        chance=sum(1 / len(case.outputs) for case in cases) / count if count else 0.0,
        mean_rank=sum(ranks) / count if count else 0.0,
    )


def _told(node: Node, edge: Edge) -> str:
    """An algorithm without the weakness it answers, which would name the right one by its words."""
    return proposal_text(proposal(node, edge)._replace(answers="", reasons=edge.change))


def _chains(lineages: Sequence[Lineage], after_year: int | None) -> Iterator[Chain]:
    for lineage in lineages:
        for chain in chains(lineage):
            if after_year is None or chain.last.year > after_year:
                yield chain


def _wrong(
    steps: Sequence[tuple[Lineage, Edge]],
    lineage: Lineage,
    edge: Edge,
    shown: set[str],
    how_many: int,
    rng: random.Random,
) -> list[tuple[Node, Edge]]:
    """Other steps; none that the prompt shows, whose words would be likely for standing there."""
    right = {other.child for other in lineage.edges if other.parent == edge.parent}
    near = [
        (lineage.node(other.child), other)
        for other in lineage.edges
        if other.child not in right | shown
    ]
    far = [(home.node(other.child), other) for home, other in steps if home.id != lineage.id]
    chosen = rng.sample(near, min(len(near), how_many // 2))
    return chosen + rng.sample(far, min(len(far), how_many - len(chosen)))


def _shuffled(prompt: str, outputs: list[str], group: str, rng: random.Random) -> Case:
    """Put the first output, which is the right one, anywhere."""
    order = list(range(len(outputs)))
    rng.shuffle(order)
    return Case(prompt, [outputs[place] for place in order], order.index(0), group)
