"""LoRA on a CPU: exact for every row of a mixed batch, at the cost of two small products.

vLLM's own class takes slot -1, "no adapter", for the last slot, so base rows that share a batch
with an adapter get its answer; it also copies the weights once for each token. Here the rows of
a step are grouped by adapter once, each group is multiplied once, and all other rows are not
touched. Shapes: T rows, I in, O out, R stacked rank, S slots.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from vllm.lora.layers import LoRAMapping
from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU


@dataclass(frozen=True)
class Group:
    """The rows of one adapter in this step: a slice where they lie together, else indices."""

    slot: int
    rows: slice | Tensor


def group_rows(slots: Sequence[int]) -> list[Group]:
    """Group rows by slot, in the order of their first rows; slot -1 is no adapter.

    Args:
        slots: The slot of each row.
    """
    found: dict[int, list[int]] = {}
    for row, slot in enumerate(slots):
        if slot >= 0:
            found.setdefault(slot, []).append(row)
    return [Group(slot, _compact(rows)) for slot, rows in found.items()]


def _compact(rows: list[int]) -> slice | Tensor:
    if rows[-1] - rows[0] + 1 == len(rows):
        return slice(rows[0], rows[-1] + 1)
    return torch.tensor(rows)


def add_product(
    y: Tensor, x: Tensor, a: Tensor | None, b: Tensor, scale: float, rows: slice | Tensor
) -> None:
    """Add `x @ a.T @ b.T * scale` to some rows of y, in place.

    Args:
        y: (T, O), may be a view of wider rows.
        x: (T, I), or (T, R) if there is no a.
        a: (R, I).
        b: (O, R).
        scale: What the product is multiplied by.
        rows: Which rows of x and y.
    """
    inner = x[rows]
    if a is not None:
        inner = inner.to(a.dtype) @ a.T
    if scale != 1.0:
        inner = inner * scale
    if isinstance(rows, slice) and y.dtype == b.dtype:
        y[rows].addmm_(inner.to(b.dtype), b.T)
        return
    delta = (inner.to(b.dtype) @ b.T).to(y.dtype)
    if isinstance(rows, slice):
        y[rows] += delta
    else:
        y.index_add_(0, rows, delta)


class Ranks:
    """The rank an adapter really has in a slot of a stacked weight, whose rest is zeros.

    Looked up once, and again after the weight has changed, which is what torch counts in
    `_version`; one entry for each weight and slot is kept.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, dict[int, int]]] = {}

    def of(self, b: Tensor, slot: int) -> int:
        """The highest column of a slot that is not all zeros, plus one.

        Args:
            b: (S, 1, O, R).
            slot: Which of the S.
        """
        version, ranks = self._known.get(b.data_ptr(), (-1, {}))
        if version != b._version:
            ranks = {}
            self._known[b.data_ptr()] = (b._version, ranks)
        if slot not in ranks:
            used = b[slot].reshape(-1, b.shape[-1]).any(dim=0).nonzero()
            ranks[slot] = int(used[-1]) + 1 if len(used) else 0
        return ranks[slot]


class GroupedPunicaWrapper(PunicaWrapperCPU):
    """See the module. The paths for sharded and full weights stay vLLM's own."""

    def __init__(
        self,
        max_num_batched_tokens: int,
        max_batches: int,
        device: torch.device | str,
        **kwargs: object,
    ) -> None:
        super().__init__(max_num_batched_tokens, max_batches, device, **kwargs)
        self._ranks = Ranks()
        self._token_groups: list[Group] = []
        self._sampler_groups: list[Group] = []
        self._sampler_rows = 0

    def update_metadata(
        self,
        mapping: LoRAMapping,
        lora_index_to_id: list[int | None],
        max_loras: int,
        vocab_size: int,
        **kwargs: object,
    ) -> None:
        """Note which rows belong to whom; called when that changes."""
        super().update_metadata(mapping, lora_index_to_id, max_loras, vocab_size, **kwargs)
        slots = self.sampler_indices.tolist()
        self._token_groups = group_rows(self.token_lora_indices.tolist())
        self._sampler_groups = group_rows(slots)
        self._sampler_rows = len(slots)

    def add_lora_linear(  # noqa: PLR0913 - the signature is vLLM's
        self,
        y: Tensor,
        x: Tensor,
        lora_a_stacked: tuple[Tensor, ...],
        lora_b_stacked: tuple[Tensor, ...],
        scale: float,
        output_slices: tuple[int, ...],
        *,
        buffer: tuple[Tensor, ...] | None = None,  # noqa: ARG002
        **kwargs: object,  # noqa: ARG002
    ) -> None:
        """Linear, merged and fused layers: one pair of weights for each slice of the output."""
        y = y.view(-1, y.shape[-1])  # (T, sum of slices)
        x = x.view(-1, x.shape[-1])  # (T, I)
        start = 0
        for a, b, width in zip(lora_a_stacked, lora_b_stacked, output_slices, strict=True):
            self._add(y[:, start : start + width], x, a, b, scale, self._token_groups)
            start += width

    def add_lora_embedding(
        self,
        y: Tensor,
        x: Tensor,
        lora_b_stacked: Tensor,
        add_inputs: bool = True,  # noqa: ARG002 - the signature is vLLM's
        **kwargs: object,  # noqa: ARG002
    ) -> None:
        """Embeddings: x (T, R) already is the adapter's A, looked up by token."""
        y = y.view(-1, y.shape[-1])
        self._add(y, x.view(-1, x.shape[-1]), None, lora_b_stacked, 1.0, self._token_groups)

    def add_lora_logits(
        self,
        y: Tensor,
        x: Tensor,
        lora_a_stacked: Tensor,
        lora_b_stacked: Tensor,
        scale: float,
        *,
        buffer: Tensor | None = None,  # noqa: ARG002 - the signature is vLLM's
        **kwargs: object,  # noqa: ARG002
    ) -> None:
        """The output head: one row for each token to be sampled.

        Raises:
            RuntimeError: The rows are those of a prompt whose log-probabilities were asked for.
                vLLM does not say whose they are, and another adapter's would be wrong.
        """
        groups = [g for g in self._sampler_groups if self._ranks.of(lora_b_stacked, g.slot)]
        if not groups:
            return
        y = y.view(-1, y.shape[-1])[:, : lora_b_stacked.shape[-2]]
        x = x.view(-1, x.shape[-1])
        if len(x) != self._sampler_rows:
            raise RuntimeError(
                f"Log-probabilities of a prompt of {len(x)} rows were asked for while an adapter "
                f"with LoRA on the output head serves {self._sampler_rows} requests; expected one "
                "row for each. Serve such an adapter on a GPU, or do not ask for them."
            )
        self._add(y, x, lora_a_stacked, lora_b_stacked, scale, groups)

    def _add(
        self,
        y: Tensor,
        x: Tensor,
        a: Tensor | None,
        b: Tensor,
        scale: float,
        groups: Iterable[Group],
    ) -> None:
        for group in groups:
            rank = self._ranks.of(b, group.slot)
            if rank == 0:
                continue
            slot_b = b[group.slot].reshape(-1, b.shape[-1])[:, :rank]  # (O, rank)
            if a is None:
                add_product(y, x[:, :rank], None, slot_b, scale, group.rows)
            else:
                slot_a = a[group.slot].reshape(-1, a.shape[-1])[:rank]  # (rank, I)
                add_product(y, x, slot_a, slot_b, scale, group.rows)
