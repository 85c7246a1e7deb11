"""An adapter's weights, cut out of the stacked ones that vLLM keeps for all, and laid side by side.

Shapes: T rows, I in, O out, R rank, S slots.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

# Up to so many columns for a slice a second copy of several adapters is kept. See `Beside`.
MOST_COLUMNS = 128


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
class Beside:
    """What several adapters add to one layer, side by side, so that one product is made of all.

    Each row takes part with the columns of its own adapter alone; the others are zeroed between
    the two products. That is less calls and more arithmetic, so it is for a few narrow adapters.

    Attributes:
        a: (I, R of all slices and adapters), the adapters of a slice together.
        owner: The slot that each of those columns is of.
        parts: The slices that any of them changes.
        columns: How many the widest slice has.
    """

    a: Tensor
    owner: Tensor
    parts: tuple[Part, ...]
    columns: int


@dataclass
class Layer:
    """What is known of one layer, as long as its stacked weights are of these versions."""

    versions: list[int] = field(default_factory=list)
    slots: dict[int, Weights] = field(default_factory=dict)
    beside: dict[tuple[int, ...], Beside | None] = field(default_factory=dict)


class Cutter:
    """Cuts an adapter's weights out of the stacked ones, whose rest is zeros.

    Done once for each adapter and layer, and again after the stacked weights have changed, which
    is what torch counts in `_version`. One entry for each layer and slot is kept,
    and one for the adapters that lie beside each other.
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

    def beside(
        self, a: Sequence[Tensor], b: Sequence[Tensor], slots: tuple[int, ...]
    ) -> Beside | None:
        """The weights of some slots side by side, or None if they are too many or too wide.

        Args:
            a: As `cut` takes it.
            b: As `cut` takes it.
            slots: All that hold an adapter, so that only docking changes them.
        """
        known = self._layer(b).beside
        if slots not in known:
            known.clear()
            known[slots] = _lay_beside({slot: self.cut(a, b, slot) for slot in slots})
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


def _lay_beside(cuts: Mapping[int, Weights]) -> Beside | None:
    slices: dict[int, list[tuple[int, Tensor, Part]]] = {}
    for slot, weights in cuts.items():
        for part in weights.parts:
            assert weights.a is not None  # noqa: S101 - of an embedding nothing is laid beside
            a = weights.a[:, part.inner]
            slices.setdefault(part.output.start, []).append((slot, a, part))
    widths = [sum(a.shape[1] for _, a, _ in found) for found in slices.values()]
    if not widths or max(widths) > MOST_COLUMNS:
        return None
    parts, inner = [], 0
    for width, found in zip(widths, slices.values(), strict=True):
        b = torch.cat([part.b for _, _, part in found])
        parts.append(Part(slice(inner, inner + width), found[0][2].output, b))
        inner += width
    every = [(slot, a) for found in slices.values() for slot, a, _ in found]
    owner = torch.tensor([slot for slot, a in every for _ in range(a.shape[1])])
    return Beside(torch.cat([a for _, a in every], dim=1), owner, tuple(parts), max(widths))
