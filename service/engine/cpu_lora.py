"""LoRA on a CPU: exact for every row of a mixed batch, at the cost of two small products.

vLLM's own class takes slot -1, "no adapter", for the last slot, so base rows that share a batch
with an adapter get its answer; it also copies the weights once for each token. Here the rows of
a step are grouped by adapter once, each group is multiplied once, and all other rows are not
touched. Shapes: T rows, I in, O out, R rank, S slots, P adapters in a pile.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from vllm.lora.layers import LoRAMapping
from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU

from service.engine.cutting import Cutter, Pile, Weights

# From so many adapters in a step on, one product of all of them is faster than one for each, as long
# as filling every adapter's rows up to the most of any makes no more than so many times the rows;
# measured in `docs/performance.md`.
LEAST_PILED = 3
MOST_FILLED = 2.5
MOST_ROWS_EACH = 32


@dataclass(frozen=True)
class Group:
    """The rows of one adapter.

    Attributes:
        slot: Where its weights are.
        place: Where its rows are once all are gathered in the order of `Rows.order`.
        span: Where they are in the step, or None if they do not lie together.
    """

    slot: int
    place: slice
    span: slice | None


@dataclass(frozen=True)
class Batch:
    """The rows of a step by adapter, as many for each, those that are missing filled up with others.

    Attributes:
        filled: The row at each place, (P times rows of each,).
        real: The places that are not filled up, or None if none is.
    """

    filled: Tensor
    real: Tensor | None


@dataclass(frozen=True)
class Rows:
    """The rows of one step.

    Attributes:
        groups: Those that belong to adapters, by slot.
        order: Which rows those are, the ones of each adapter together.
        together: Whether the rows of every adapter lie together.
        batch: For a product of all adapters at once, where that is faster.
    """

    groups: tuple[Group, ...]
    order: Tensor
    together: bool
    batch: Batch | None


def group_rows(slots: Sequence[int], held: Sequence[int] = ()) -> Rows:
    """Group rows by slot; slot -1 is no adapter.

    Args:
        slots: The slot of each row.
        held: All slots that hold an adapter, in order.
    """
    found: dict[int, list[int]] = {}
    for row, slot in enumerate(slots):
        if slot >= 0:
            found.setdefault(slot, []).append(row)
    groups: list[Group] = []
    order: list[int] = []
    for slot, rows in sorted(found.items()):
        lie_together = rows[-1] - rows[0] + 1 == len(rows)
        span = slice(rows[0], rows[-1] + 1) if lie_together else None
        groups.append(Group(slot, slice(len(order), len(order) + len(rows)), span))
        order += rows
    together = all(group.span for group in groups)
    batch = None if together else _batch(found, held, len(order))
    return Rows(tuple(groups), torch.tensor(order, dtype=torch.long), together, batch)


def _batch(found: dict[int, list[int]], held: Sequence[int], count: int) -> Batch | None:
    each = max(map(len, found.values()))
    if len(found) < LEAST_PILED or each > MOST_ROWS_EACH or len(held) * each > MOST_FILLED * count:
        return None
    filled: list[int] = []
    real: list[int] = []
    for slot in held:
        rows = found.get(slot, [])
        real += range(len(filled), len(filled) + len(rows))
        filled += rows + [0] * (each - len(rows))
    return Batch(torch.tensor(filled), None if len(real) == len(filled) else torch.tensor(real))


def add_changes(y: Tensor, x: Tensor, weights: Weights, scale: float) -> None:
    """Add what one adapter changes, in place.

    Args:
        y: Its rows, (T, O), of the dtype of the weights.
        x: Its rows, (T, I).
        weights: The adapter's.
        scale: What the change is multiplied by.
    """
    inner = x if weights.a is None else x @ weights.a  # (T, R of all slices)
    for part in weights.parts:
        y[:, part.output].addmm_(inner[:, part.inner], part.b, alpha=scale)


def add_piled(y: Tensor, x: Tensor, pile: Pile, rows: Rows, batch: Batch, scale: float) -> None:
    """Add what all adapters change, each to its own rows, in place; other rows are not touched.

    Args:
        y: (T, O), of the dtype of the weights.
        x: (T, I).
        pile: The weights of every adapter that is held.
        rows: Whose rows are where.
        batch: That of `rows`.
        scale: What the change is multiplied by.
    """
    mine = x[batch.filled].to(pile.a.dtype).view(len(pile.a), -1, x.shape[1])
    inner = torch.bmm(mine, pile.a)
    slices = [torch.bmm(inner[:, :, at], b) for at, b in zip(pile.inner, pile.b, strict=True)]
    change = (torch.cat(slices, dim=2) if len(slices) > 1 else slices[0]).flatten(0, 1)
    if batch.real is not None:
        change = change[batch.real]
    y[:, : change.shape[1]].index_add_(0, rows.order, change.to(y.dtype), alpha=scale)


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
        self._cutter = Cutter()
        self._token_rows = group_rows(())
        self._sampler_rows = group_rows(())
        self._sampler_count = 0
        self._held: tuple[int, ...] = ()

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
        self._held = tuple(slot for slot, held in enumerate(lora_index_to_id) if held is not None)
        slots = self.sampler_indices.tolist()
        self._token_rows = group_rows(self.token_lora_indices.tolist(), self._held)
        self._sampler_rows = group_rows(slots)
        self._sampler_count = len(slots)

    def add_lora_linear(  # noqa: PLR0913 - the signature is vLLM's
        self,
        y: Tensor,
        x: Tensor,
        lora_a_stacked: tuple[Tensor, ...],
        lora_b_stacked: tuple[Tensor, ...],
        scale: float,
        output_slices: tuple[int, ...],  # noqa: ARG002 - the slices are those of the weights
        *,
        buffer: tuple[Tensor, ...] | None = None,  # noqa: ARG002
        **kwargs: object,  # noqa: ARG002
    ) -> None:
        """Linear, merged and fused layers: one pair of weights for each slice of the output."""
        if self._token_rows.groups:
            self._add(y, x, lora_a_stacked, lora_b_stacked, self._token_rows, scale)

    def add_lora_embedding(
        self,
        y: Tensor,
        x: Tensor,
        lora_b_stacked: Tensor,
        add_inputs: bool = True,  # noqa: ARG002 - the signature is vLLM's
        **kwargs: object,  # noqa: ARG002
    ) -> None:
        """Embeddings: x (T, R) already is the adapter's A, looked up by token."""
        if self._token_rows.groups:
            self._add(y, x, None, (lora_b_stacked,), self._token_rows, 1.0)

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
        a, b = (lora_a_stacked,), (lora_b_stacked,)
        if not any(self._cutter.cut(a, b, group.slot).parts for group in self._sampler_rows.groups):
            return
        count = x.numel() // x.shape[-1]
        if count != self._sampler_count:
            raise RuntimeError(
                f"Log-probabilities of a prompt of {count} rows were asked for while an adapter "
                f"with LoRA on the output head serves {self._sampler_count} requests; expected "
                "one row for each. Serve such an adapter on a GPU, or do not ask for them."
            )
        self._add(y, x, a, b, self._sampler_rows, scale)

    def _add(
        self,
        y: Tensor,
        x: Tensor,
        a: Sequence[Tensor] | None,
        b: Sequence[Tensor],
        rows: Rows,
        scale: float,
    ) -> None:
        """Add the changes of all groups.

        Args:
            y: (..., at least O).
            x: (..., I), or (..., R) for an embedding.
            a: As `Cutter.cut` takes it.
            b: As `Cutter.cut` takes it.
            rows: Whose rows are where.
            scale: What the changes are multiplied by.
        """
        y = y.view(-1, y.shape[-1])
        x = x.view(-1, x.shape[-1])
        dtype = b[0].dtype
        if y.dtype == x.dtype == dtype:
            if rows.together:
                for group in rows.groups:
                    weights = self._cutter.cut(a, b, group.slot)
                    if weights.parts:
                        add_changes(y[group.span], x[group.span], weights, scale)
                return
            if rows.batch is not None and a is not None:
                pile = self._cutter.pile(a, b, self._held)
                if pile is not None:
                    add_piled(y, x, pile, rows, rows.batch, scale)
                    return
        # Gathered once, so that each adapter's rows lie together, and added back once.
        x = x[rows.order].to(dtype)
        change = x.new_zeros(len(x), sum(weight.shape[-2] for weight in b))
        for group in rows.groups:
            weights = self._cutter.cut(a, b, group.slot)
            if weights.parts:
                add_changes(change[group.place], x[group.place], weights, scale)
        y[:, : change.shape[1]].index_add_(0, rows.order, change.to(y.dtype))
