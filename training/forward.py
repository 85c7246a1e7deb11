"""One forward pass over rows laid end to end, so that no position is spent on padding.

Every layer but attention treats positions alike. Attention takes the rows apart, row by row, under
a name of its own in transformers' table of attention functions. Architectures that do not use the
table are given a padded batch instead.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface

from training.batches import Part
from training.encode import IGNORED
from training.head_loss import summed_loss

ROWS_ATTENTION = "loradock_rows"
PADDED_ATTENTION = "sdpa"
# Falcon chooses its attention by class, not from the table.
WITHOUT_TABLE = frozenset({"falcon"})

# Of the part at hand. Not a context variable: gradient checkpointing repeats the forward pass in
# threads of autograd, which see no context of ours.
_row_lengths: list[tuple[int, ...]] = []


def attention_for(model_type: str) -> str:
    """Name the attention implementation to load an architecture with."""
    if model_type in WITHOUT_TABLE:
        return PADDED_ATTENTION
    AttentionInterface.register(ROWS_ATTENTION, _attend_in_rows)
    AttentionMaskInterface.register(ROWS_ATTENTION, _no_mask)
    return ROWS_ATTENTION


def part_loss(model: nn.Module, part: Part) -> Tensor:
    """Sum the loss over the trained tokens of one part.

    With gradient checkpointing, call `backward` within the same `rows_apart`.

    Args:
        model: A causal language model of transformers, with LoRA layers or without.
        part: Rows laid end to end.

    Returns:
        A float32 scalar; divide it by the number of trained tokens of the step.
    """
    return _head_loss(model, _hidden_states(model, part), part.targets)


def row_losses(model: nn.Module, part: Part) -> Tensor:
    """Sum the loss over the trained tokens of each row of a part.

    Args:
        model: As for `part_loss`.
        part: Rows laid end to end.

    Returns:
        Float32, (B,); the negative log-probability of what each row trains.
    """
    hidden = _hidden_states(model, part)
    rows = zip(
        torch.split(hidden, list(part.lengths)),
        torch.split(part.targets, list(part.lengths)),
        strict=True,
    )
    return torch.stack([_head_loss(model, states, targets) for states, targets in rows])


def _head_loss(model: nn.Module, hidden: Tensor, targets: Tensor) -> Tensor:
    chosen = targets != IGNORED
    head = model.get_output_embeddings()  # type: ignore[operator]  # every causal model has it
    return summed_loss(hidden[chosen], head.weight, head.bias, targets[chosen])


@contextmanager
def rows_apart(part: Part) -> Iterator[None]:
    """Let attention keep the rows of a part apart, in the forward pass and when it is repeated."""
    _row_lengths.append(part.lengths)
    try:
        yield
    finally:
        _row_lengths.pop()


def _hidden_states(model: nn.Module, part: Part) -> Tensor:
    backbone: Any = getattr(model, str(model.base_model_prefix))
    if backbone.config._attn_implementation == ROWS_ATTENTION:
        positions = torch.cat([torch.arange(length) for length in part.lengths])
        with rows_apart(part):
            output = backbone(
                input_ids=part.input_ids[None],
                position_ids=positions[None].to(part.input_ids.device),
                use_cache=False,
            )
        flat: Tensor = output.last_hidden_state[0]  # (T, H)
        return flat
    # Padding on the right is invisible to the positions before it, so causal attention needs no mask.
    ids = nn.utils.rnn.pad_sequence(
        list(torch.split(part.input_ids, list(part.lengths))), batch_first=True
    )
    padded = backbone(input_ids=ids, use_cache=False).last_hidden_state  # (B, T, H)
    return torch.cat([row[:length] for row, length in zip(padded, part.lengths, strict=True)])


def _no_mask(*_: object, **__: object) -> None:
    """Causality within a row is all there is to mask."""


def _attend_in_rows(
    _module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _attention_mask: Tensor | None,
    **options: Any,  # noqa: ANN401 - each architecture passes options of its own
) -> tuple[Tensor, None]:
    """Causal attention within each row; query is (1, heads, T, D), key and value as many or fewer heads."""
    lengths = _row_lengths[-1]
    window = options.get("sliding_window")
    dtype = query.dtype
    if query.device.type == "cpu":
        # The CPU's attention in bfloat16 takes three times as long backwards as in float32.
        query, key, value = query.float(), key.float(), value.float()
    by_row = zip(
        *(torch.split(states, list(lengths), dim=2) for states in (query, key, value)), strict=True
    )
    rows = []
    for q, k, v in by_row:
        band = _band(q, window)
        rows.append(
            scaled_dot_product_attention(
                q,
                k,
                v,
                attn_mask=band,
                dropout_p=options.get("dropout", 0.0),
                is_causal=band is None,
                scale=options.get("scaling"),
                enable_gqa=query.shape[1] != key.shape[1],
            )
        )
    return torch.cat(rows, dim=2).transpose(1, 2).to(dtype), None  # (1, T, heads, D)


def _band(query: Tensor, window: int | None) -> Tensor | None:
    """The mask of a sliding window, where the row is long enough to feel it."""
    length = query.shape[2]
    if window is None or length <= window:
        return None
    ones = torch.ones(length, length, dtype=torch.bool, device=query.device)
    return ones.tril() & ones.triu(1 - window)
