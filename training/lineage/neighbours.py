"""Which algorithms elsewhere are close to one: cosine of TF-IDF vectors over ideas and weaknesses."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from training.lineage.schema import Lineage, Node

_WORD = re.compile(r"[a-z]{3,}")
Vector = dict[str, float]


class Neighbourhood:
    """The nodes of all lineages as vectors."""

    def __init__(self, lineages: Sequence[Lineage]) -> None:
        self._members = [(lineage.id, node) for lineage in lineages for node in lineage.nodes]
        counts = [Counter(_words(node)) for _, node in self._members]
        documents = Counter(word for count in counts for word in count)
        self._vectors = [
            _unit({w: n * math.log(len(counts) / documents[w]) for w, n in count.items()})
            for count in counts
        ]

    def nearest(self, node: Node, lineage_id: str, how_many: int) -> list[Node]:
        """The closest nodes of other lineages that are no younger than this one, closest first."""
        own = next(
            vector
            for (group, member), vector in zip(self._members, self._vectors, strict=True)
            if (group, member.id) == (lineage_id, node.id)
        )
        scored = [
            (_cosine(own, vector), place)
            for place, ((group, member), vector) in enumerate(
                zip(self._members, self._vectors, strict=True)
            )
            if group != lineage_id and member.year <= node.year
        ]
        scored.sort(key=lambda pair: (-pair[0], pair[1]))
        return [self._members[place][1] for score, place in scored[:how_many] if score > 0]


def _words(node: Node) -> list[str]:
    text = " ".join([node.use, *node.ideas, *node.strengths, *node.bottlenecks])
    return _WORD.findall(text.lower())


def _unit(vector: Vector) -> Vector:
    length = math.sqrt(sum(value * value for value in vector.values())) or 1.0
    return {word: value / length for word, value in vector.items()}


def _cosine(left: Vector, right: Vector) -> float:
    return sum(value * right.get(word, 0.0) for word, value in left.items())
