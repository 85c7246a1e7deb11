"""Training rows from lineages: every prefix, every edge, and questions about both.

A row belongs to the newest algorithm that it mentions. With a cut-off year, rows of younger ones are
held out, so that nothing of the time after it is trained on.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pseudocode.evolution.wording import Proposal, chain_prompt, proposal_text
from training.lineage.changes import changed_lines
from training.lineage.graph import Chain, chains
from training.lineage.neighbours import Neighbourhood
from training.lineage.program_rows import ProgramRows
from training.lineage.renaming import anonymous
from training.lineage.schema import Edge, Lineage, Node
from training.lineage.stages import proposal, stage, stages

CHOICES = 4
LETTERS = "ABCD"
MAX_CHANGED_LINES = 12


class LineageRow(NamedTuple):
    """One row.

    Attributes:
        prompt: What is asked.
        output: What is to be answered.
        group: The lineage.
        kind: How the row was made.
        year: Of the newest algorithm in it.
    """

    prompt: str
    output: str
    group: str
    kind: str
    year: int


@dataclass(frozen=True)
class Options:
    """What rows are made.

    Attributes:
        seed: Of everything drawn.
        cutoff_year: Last year that is trained on; everything is if `None`.
        judging_weight: Judging rows for each row that asks for a next algorithm.
        neighbours: Related algorithms in a prompt.
        renamings: Renamed copies of each chain and program.
    """

    seed: int = 0
    cutoff_year: int | None = None
    judging_weight: float = 1.0
    neighbours: int = 0
    renamings: int = 2


class Split(NamedTuple):
    """Rows to train on, and rows of algorithms after the cut-off."""

    train: list[LineageRow]
    held_out: list[LineageRow]


def build(lineages: Sequence[Lineage], options: Options) -> Split:
    """Make all rows, without two of one prompt, and split them by year."""
    maker = _Maker(lineages, options)
    rows: dict[str, LineageRow] = {}
    for lineage in lineages:
        for row in maker.rows(lineage):
            rows.setdefault(row.prompt, row)
    cutoff = options.cutoff_year
    train = [row for row in rows.values() if cutoff is None or row.year <= cutoff]
    held_out = [row for row in rows.values() if cutoff is not None and row.year > cutoff]
    random.Random(options.seed).shuffle(train)  # noqa: S311 - an order, not a secret
    return Split(train, held_out)


class _Maker:
    """Makes the rows of one lineage after the other."""

    def __init__(self, lineages: Sequence[Lineage], options: Options) -> None:
        self._options = options
        self._lineages = lineages
        self._rng = random.Random(options.seed)  # noqa: S311 - choices, not secrets
        self._near = Neighbourhood(lineages) if options.neighbours else None
        self._programs = ProgramRows(options.seed, options.renamings)

    def rows(self, lineage: Lineage) -> Iterator[LineageRow]:
        """All rows of a lineage."""
        makers: tuple[Callable[[Chain], Iterator[tuple[str, str, str, int]]], ...] = (
            self._next,
            self._renamed,
            self._ranking,
        )
        for chain in chains(lineage):
            for make in makers:
                yield from (_row(lineage, *made) for made in make(chain))
        for edge in lineage.edges:
            parent, child = lineage.node(edge.parent), lineage.node(edge.child)
            yield from (_row(lineage, *made) for made in self._edge(lineage, edge, parent, child))
            yield from (_row(lineage, *made) for made in self._judging(lineage, edge))
            for prompt, output in self._programs.of_edge(lineage, edge):
                yield _row(lineage, prompt, output, "program", child.year)

    def _next(self, chain: Chain) -> Iterator[tuple[str, str, str, int]]:
        """The chain so far, and the next algorithm; once left open and once by weakness."""
        before, edge, child = _step(chain)
        told = stages(before)
        related = self._related(before)
        answer = proposal_text(proposal(child, edge))
        prompt = chain_prompt(chain.lineage.purpose, told, related=related)
        yield prompt, answer, "next", child.year
        prompt = chain_prompt(chain.lineage.purpose, told, weakness=edge.weakness, related=related)
        yield prompt, answer, "next_by_weakness", child.year

    def _renamed(self, chain: Chain) -> Iterator[tuple[str, str, str, int]]:
        before, edge, child = _step(chain)
        if self._options.renamings:
            told, answer = anonymous(stages(before), proposal(child, edge))
            prompt = chain_prompt(chain.lineage.purpose, told, weakness=edge.weakness)
            yield prompt, proposal_text(answer), "renamed", child.year

    def _ranking(self, chain: Chain) -> Iterator[tuple[str, str, str, int]]:
        before, edge, child = _step(chain)
        others = self._others(chain.lineage, edge, child, CHOICES - 1)
        options = [child, *others]
        self._rng.shuffle(options)
        listed = [
            f"{letter}. {'; '.join(node.ideas)}."
            for letter, node in zip(LETTERS, options, strict=False)
        ]
        prompt = chain_prompt(chain.lineage.purpose, stages(before)).rpartition("\n")[0]
        prompt += "\nWhich ideas lead to the next algorithm?\n" + "\n".join(listed)
        told = proposal(child, edge)
        right = told._replace(name=f"{LETTERS[options.index(child)]}. {child.title}")
        yield prompt, proposal_text(right), "ranking", max(node.year for node in options)

    def _edge(
        self, lineage: Lineage, edge: Edge, parent: Node, child: Node
    ) -> Iterator[tuple[str, str, str, int]]:
        prompt = chain_prompt(lineage.purpose, [stage(parent)], weakness=edge.weakness)
        yield prompt, proposal_text(proposal(child, edge)), "edge", child.year
        prompt = (
            f"Purpose: {lineage.purpose}\nBefore: {parent.title}. {'; '.join(parent.ideas)}.\n"
            f"Pseudocode:\n{parent.pseudocode}\nAfter: {child.title}. {'; '.join(child.ideas)}.\n"
            f"Pseudocode:\n{child.pseudocode}\nWhich weakness does the second answer, and why?"
        )
        told = _compared(parent, child, f"It answers: {edge.weakness} {edge.motivation}", edge)
        yield prompt, told, "weakness", child.year

    def _judging(self, lineage: Lineage, edge: Edge) -> Iterator[tuple[str, str, str, int]]:
        """One right pair of weakness and change, and one wrong; kept by the weight."""
        child = lineage.node(edge.child)
        for right in (True, False):
            if self._rng.random() >= self._options.judging_weight / 2:
                continue
            other = edge if right else self._other_edge(lineage, edge)
            prompt = (
                f"Purpose: {lineage.purpose}\nWeakness: {edge.weakness}\nChange: {other.change}\n"
                "Does this change answer that weakness?"
            )
            why = f"Yes. {edge.motivation}" if right else f"No. It answers: {other.weakness}"
            newer = lineage.node(other.child)
            told = _compared(lineage.node(other.parent), newer, why, other)
            yield prompt, told, "judging", max(child.year, newer.year)

    def _other_edge(self, lineage: Lineage, edge: Edge) -> Edge:
        """An edge with another change, of this lineage if it has one that is not younger."""
        child = lineage.node(edge.child)
        own = [other for other in lineage.edges if other is not edge]
        older = [other for other in own if lineage.node(other.child).year <= child.year]
        return self._rng.choice(older or own or [edge])

    def _others(self, lineage: Lineage, edge: Edge, child: Node, how_many: int) -> list[Node]:
        """Wrong choices, none of them a child of the same parent: first near ones, then any."""
        right = {other.child for other in lineage.edges if other.parent == edge.parent}
        near = [node for node in lineage.nodes if node.id not in right | {edge.parent}]
        cutoff = self._options.cutoff_year
        limit = max(child.year, cutoff) if cutoff is not None and child.year <= cutoff else None
        far = [node for other in self._lineages if other.id != lineage.id for node in other.nodes]
        near, far = (
            [node for node in nodes if limit is None or node.year <= limit] for nodes in (near, far)
        )
        chosen = self._rng.sample(near, min(len(near), how_many // 2))
        return chosen + self._rng.sample(far, min(len(far), how_many - len(chosen)))

    def _related(self, before: Chain) -> list[str]:
        if self._near is None:
            return []
        found = self._near.nearest(before.last, before.lineage.id, self._options.neighbours)
        return [f"{node.title}: {'; '.join(node.ideas)}" for node in found]


def _compared(parent: Node, child: Node, verdict: str, edge: Edge) -> str:
    """An answer about a step, in the sections of the task: what changed, line by line, and why."""
    lines = changed_lines(parent.pseudocode, child.pseudocode)[:MAX_CHANGED_LINES]
    return proposal_text(Proposal(child.title, "", (edge.change,), "\n".join(lines), verdict))


def _step(chain: Chain) -> tuple[Chain, Edge, Node]:
    """The chain without its last node, and the step to that."""
    before = Chain(chain.lineage, chain.nodes[:-1], chain.edges[:-1])
    return before, chain.edges[-1], chain.last


def _row(lineage: Lineage, prompt: str, output: str, kind: str, year: int) -> LineageRow:
    return LineageRow(prompt, output, lineage.id, kind, year)
