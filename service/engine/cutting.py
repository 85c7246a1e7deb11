"""An adapter's weights, cut out of the stacked ones that vLLM keeps for all, and piled up by layer.

Shapes: T rows, I in, O out, R rank, S slots, P adapters in a pile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain

import torch
from torch import Tensor

# Up to so much rank in all a second copy of several adapters is kept. See `Pile`.
MOST_RANK = 128


@dataclass(frozen=True)
class Part:
    """One slice of a layer's output: which columns of the inner product it takes, and its B."""

    inner: slice
    output: slice
    b: Tensor  # (R, O of the slice), a view


@dataclass(frozen=True)
class Weights:
    """What one adapter adds to one layer, cut to its real rank.

    Attributes:
        a: (I, R of all slices), or None for an embedding, whose input is the inner product.
        parts: The slices it changes.
    """

    a: Tensor | None
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Pile:
    """What several adapters add to one layer, for one product of all with batches of matrices.

    Attributes:
        a: (P, I, R of all slices), of the highest rank in each slice; lower ones end in zeros.
        inner: The columns of each slice.
        b: (P, R, O) for each slice of the layer.
    """

    a: Tensor
    inner: tuple[slice, ...]
    b: tuple[Tensor, ...]


@dataclass
class Layer:
    """What is known of one layer, as long as its stacked weights are of these versions."""

    versions: list[int] = field(default_factory=list)
    slots: dict[int, Weights] = field(default_factory=dict)
    piles: dict[tuple[int, ...], Pile | None] = field(default_factory=dict)


class Cutter:
    """Cuts an adapter's weights out of the stacked ones, whose rest is zeros.

    Done once for each adapter and layer, and again after the stacked weights have changed, which
    is what torch counts in `_version`. One entry for each layer and slot is kept, and one pile for
    each layer.
    """

    def __init__(self) -> None:
        self._known: dict[int, Layer] = {}

    def cut(self, a: Sequence[Tensor] | None, b: Sequence[Tensor], slot: int) -> Weights:
        """The weights in a slot; without parts if the adapter does not change the layer.

        Args:
            a: (S, 1, R, I) for each slice, or None for an embedding.
            b: (S, 1, O, R) for each slice.
            slot: Which of the S.
        """
        slots = self._layer(b).slots
        if slot not in slots:
            slots[slot] = _cut(a, b, slot)
        return slots[slot]

    def pile(self, a: Sequence[Tensor], b: Sequence[Tensor], slots: tuple[int, ...]) -> Pile | None:
        """The weights of some slots together, or None if nothing is changed or too much.

        Args:
            a: As `cut` takes it.
            b: As `cut` takes it.
            slots: All that hold an adapter, so that only docking changes them.
        """
        known = self._layer(b).piles
        if slots not in known:
            known.clear()
            known[slots] = _pile([self.cut(a, b, slot) for slot in slots], a[0].shape[-1], b)
        return known[slots]

    def _layer(self, b: Sequence[Tensor]) -> Layer:
        versions = [weight._version for weight in b]
        layer = self._known.get(b[0].data_ptr())
        if layer is None or layer.versions != versions:
            layer = self._known[b[0].data_ptr()] = Layer(versions)
        return layer


def _cut(a: Sequence[Tensor] | None, b: Sequence[Tensor], slot: int) -> Weights:
    parts: list[Part] = []
    a_parts: list[Tensor] = []
    inner = output = 0
    for number, weight in enumerate(b):
        flat = weight[slot].reshape(-1, weight.shape[-1])  # (O, R)
        used = flat.any(dim=0).nonzero()
        rank = int(used[-1]) + 1 if len(used) else 0
        if rank:
            columns = slice(inner, inner + rank)
            parts.append(Part(columns, slice(output, output + len(flat)), flat[:, :rank].T))
            if a is not None:
                a_parts.append(a[number][slot].reshape(-1, a[number].shape[-1])[:rank])
            inner += rank
        output += len(flat)
    return Weights(torch.cat(a_parts).T if a_parts else None, tuple(parts))


def _pile(cuts: Sequence[Weights], inputs: int, b: Sequence[Tensor]) -> Pile | None:
    starts = [0, *accumulate(weight.shape[-2] for weight in b)]
    ranks = dict.fromkeys(starts[:-1], 0)
    for part in chain.from_iterable(weights.parts for weights in cuts):
        ranks[part.output.start] = max(ranks[part.output.start], len(part.b))
    if not any(ranks.values()) or len(cuts) * max(ranks.values()) > MOST_RANK:
        return None
    ends = accumulate(ranks.values())
    inner = {
        start: slice(end - rank, end)
        for (start, rank), end in zip(ranks.items(), ends, strict=True)
    }
    # In float32, in which batches of small products are fast, whatever the model computes in.
    piled_a = torch.zeros(len(cuts), inputs, sum(ranks.values()))
    piled_b = {
        start: torch.zeros(len(cuts), rank, weight.shape[-2])
        for (start, rank), weight in zip(ranks.items(), b, strict=True)
    }
    for number, weights in enumerate(cuts):
        for part in weights.parts:
            assert weights.a is not None  # noqa: S101 - embeddings are not piled up
            rank, begin = len(part.b), inner[part.output.start].start
            piled_a[number, :, begin : begin + rank] = weights.a[:, part.inner]
            piled_b[part.output.start][number, :rank] = part.b
    return Pile(piled_a, tuple(inner.values()), tuple(piled_b.values()))
