"""Rows of executable lineages: a program and its measured cost in, a program that does less out.

Measured at sizes and inputs that are drawn, and under drawn names, so each seed gives other rows.
"""

import random
from collections.abc import Iterator

from pseudocode.evolution.screening import only_function
from pseudocode.evolution.wording import ProgramStage, chain_prompt, proposal_text
from training.lineage.measuring import cost_of, program_of
from training.lineage.renaming import anonymous, renamed_program
from training.lineage.schema import Edge, Lineage, Node
from training.lineage.stages import proposal, source_of, stage


class ProgramRows:
    """Makes program rows; costs are counted once and kept."""

    def __init__(self, seed: int, renamings: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - names and sizes, not secrets
        self._renamings = renamings
        self._costs: dict[tuple[str, str, int], str] = {}

    def of_edge(self, lineage: Lineage, edge: Edge) -> Iterator[tuple[str, str]]:
        """Prompt and output, as they are and renamed; nothing for edges without a measured claim."""
        if edge.measured_on is None:
            return
        parent, child = lineage.node(edge.parent), lineage.node(edge.child)
        yield self._plain(lineage, edge, parent, child)
        for copy in range(self._renamings):
            yield self._renamed(lineage, edge, f"{edge.parent} {edge.child} {copy}")

    def _plain(self, lineage: Lineage, edge: Edge, parent: Node, child: Node) -> tuple[str, str]:
        cost = self._cost(parent, edge.measured_on or "", first=True)
        program = ProgramStage(source_of(parent), cost)
        prompt = chain_prompt(lineage.purpose, [stage(parent)], program=program)
        return prompt, proposal_text(proposal(child, edge, source_of(child)))

    def _renamed(self, lineage: Lineage, edge: Edge, seed: str) -> tuple[str, str]:
        parent, child = lineage.node(edge.parent), lineage.node(edge.child)
        cost = self._cost(parent, edge.measured_on or "", first=False)
        old, new = (self._other_names(node, seed) for node in (parent, child))
        told, answer = anonymous([stage(parent)], proposal(child, edge, new))
        prompt = chain_prompt(lineage.purpose, told, program=ProgramStage(old, cost))
        return prompt, proposal_text(answer)

    def _other_names(self, node: Node, seed: str) -> str:
        source = source_of(node)
        return renamed_program(source, only_function(source) or "", seed)

    def _cost(self, node: Node, inputs: str, *, first: bool) -> str:
        found, entry = program_of(node)
        sizes = found.sizes_of.get(entry, found.sizes)[:3]
        size = sizes[0] if first else self._rng.choice(sizes)
        key = node.id, inputs, size
        if key not in self._costs:
            self._costs[key] = cost_of(found, entry, inputs, size)
        return self._costs[key]
