"""Cross-entropy through a frozen output head, at labelled positions only.

The gradient is computed together with the loss, tile by tile, so the logits of a whole batch are
never in memory and the head is applied twice (forward, backward) instead of three times.
"""

from typing import Any

import torch
from torch import Tensor

# Logits in memory at once; large enough for full-speed products, small enough for caches and RAM.
TILE_VALUES = 1 << 24


def summed_loss(hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
    """Sum the cross-entropy of the head's predictions.

    Args:
        hidden: Last hidden states at labelled positions, (N, H).
        weight: Of the head, (V, H); gets no gradient.
        bias: Of the head, (V,), or `None`.
        targets: Token ids, (N,).

    Returns:
        The sum in float32, a scalar.
    """
    loss: Tensor = _HeadLoss.apply(hidden, weight, bias, targets)  # type: ignore[no-untyped-call]  # torch's own
    return loss


class _HeadLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch gives no type with both attributes
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
    ) -> Tensor:
        tile = max(1, TILE_VALUES // weight.shape[0])
        # Measuring needs no gradient, which is a third of the work with a large vocabulary.
        gradient = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        for start in range(0, hidden.shape[0], tile):
            rows = slice(start, start + tile)
            wanted = targets[rows, None]
            logits = torch.nn.functional.linear(hidden[rows], weight, bias).float()  # (N', V)
            normaliser = logits.logsumexp(dim=-1, keepdim=True)
            total += (normaliser - logits.gather(1, wanted)).sum()
            if gradient is None:
                continue
            probabilities = logits.sub_(normaliser).exp_()
            probabilities.scatter_add_(1, wanted, -torch.ones_like(normaliser))
            gradient[rows] = probabilities.to(weight.dtype) @ weight  # (N', H)
        if gradient is not None:
            ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None, None]:  # noqa: ANN401 - as above
        (gradient,) = ctx.saved_tensors
        return gradient * upstream[0].to(gradient.dtype), None, None, None
