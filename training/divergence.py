"""When a run is beyond saving, and which rows made it so."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from training.batches import Part, make_parts
from training.encode import Example
from training.errors import RunDiverged
from training.forward import rows_apart
from training.preferences import Pair

# A loss that stays above that of guessing every token alike is one that will not come back.
PATIENCE_STEPS = 8
SLACK_NATS = 1.0


def refuse_number(
    what: str, value: float, step: int, lines: Sequence[int], learning_rate: float
) -> None:
    """End a run whose loss or gradient is no number.

    Raises:
        RunDiverged: Always, naming the rows.
    """
    raise RunDiverged(
        f"The {what} became {value} at step {step}, on the rows at lines "
        f"{', '.join(map(str, lines))} of the file; expected a finite number. Look at these rows, "
        f"or lower the learning rate {learning_rate:g}."
    )


def refuse_guessing(losses: Sequence[float], vocabulary: int, learning_rate: float) -> None:
    """End a run whose loss has been worse than guessing for a while.

    Args:
        losses: Of every step so far.
        vocabulary: Tokens there are.
        learning_rate: For the message.

    Raises:
        RunDiverged: It has been.
    """
    guessing = math.log(vocabulary) + SLACK_NATS
    recent = losses[-PATIENCE_STEPS:]
    if len(recent) == PATIENCE_STEPS and min(recent) > guessing:
        raise RunDiverged(
            f"The loss has been above {guessing:.1f} for {PATIENCE_STEPS} steps (now "
            f"{recent[-1]:.1f} at step {len(losses)}), which is worse than guessing every token "
            f"alike. The learning rate {learning_rate:g} is too high; try a tenth."
        )


def culprits(
    model: nn.Module,
    examples: Sequence[Example | Pair],
    loss: Callable[[nn.Module, Part], Tensor],
) -> list[int]:
    """Find the rows of a step whose own loss or gradient is not finite, by line.

    Args:
        model: The base inside the adapter; its gradients are lost.
        examples: The rows of the step.
        loss: Of a part.

    Returns:
        Their lines; all lines of the step if none stands out.
    """
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    device = next(model.parameters()).device
    found = []
    for example in examples:
        for weight in weights:
            weight.grad = None
        (part,) = make_parts([example], max_tokens=1)
        part = part.to(device)
        with rows_apart(part):
            value = loss(model, part)
            value.backward()  # type: ignore[no-untyped-call]  # torch's own
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        if not all(bool(torch.isfinite(each).all()) for each in [value, *gradients]):
            found.append(example.line)
    return sorted(found or (example.line for example in examples))
