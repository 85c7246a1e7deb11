"""Direct preference optimisation: an adapter moves towards the answers that are preferred.

The loss of Rafailov et al. 2023 (arXiv 2305.18290), over rows laid end to end. The reference is the
model before the first step: the base, or the version that is continued; it is asked once.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from training.batches import Part, make_parts
from training.encode import Example
from training.forward import row_losses
from training.preferences import Pair

Margins = Mapping[tuple[int, ...], float]


def preference_loss(beta: float, margins: Margins) -> Callable[[nn.Module, Part], Tensor]:
    """Make the loss over a part of pairs.

    Args:
        beta: How far answers may move from the reference.
        margins: Of the reference, as `reference_margins` finds them.

    Returns:
        A function from a model and a part to the summed loss of its pairs, a float32 scalar.
    """

    def loss(model: nn.Module, part: Part) -> Tensor:
        reference = torch.tensor([margins[key] for key in _keys(part)], device=part.targets.device)
        return -logsigmoid(beta * (_margins(model, part) - reference)).sum()

    return loss


def reference_margins(
    model: nn.Module, pairs: Sequence[Example | Pair], max_tokens: int
) -> dict[tuple[int, ...], float]:
    """How much more likely the reference finds the chosen answer of each pair, in nats."""
    model.eval()
    device = next(model.parameters()).device
    found: dict[tuple[int, ...], float] = {}
    with torch.no_grad():
        for part in make_parts(pairs, max_tokens):
            values = _margins(model, part.to(device)).tolist()
            found.update(zip(_keys(part), values, strict=True))
    return found


def _margins(model: nn.Module, part: Part) -> Tensor:
    losses = row_losses(model, part)  # (2P,), chosen and rejected in turn
    return losses[1::2] - losses[0::2]  # (P,)


def _keys(part: Part) -> list[tuple[int, ...]]:
    """What tells pairs apart: their tokens, since trained and held-out rows may share a line."""
    rows = torch.split(part.input_ids, list(part.lengths))
    flat = [tuple(row.tolist()) for row in rows]
    return [chosen + rejected for chosen, rejected in zip(flat[::2], flat[1::2], strict=True)]
