"""What is to be trained, in plain values, and what came of it. No torch, so checks start at once."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from adapters.manifest import LoraFacts
from training.encode import Example


class Compute(NamedTuple):
    """How products are computed best here.

    Attributes:
        device: "cuda" or "cpu".
        dtype: "float32" or "bfloat16".
        reason: Why.
        flops_per_s: Measured on a product of typical size, in that type.
    """

    device: str
    dtype: str
    reason: str
    flops_per_s: float


@dataclass(frozen=True)
class Optimisation:
    """How weights move, as the recipe names it."""

    learning_rate: float
    schedule: str
    warmup_fraction: float
    weight_decay: float
    max_gradient_norm: float


@dataclass(frozen=True)
class Job:
    """Everything a run needs.

    Attributes:
        base_dir: The base model.
        parent_dir: An adapter to train further, or `None` for a new one.
        lora: Shape of the adapter; that of the parent if there is one.
        dropout: On the input of the LoRA layers.
        examples: What is trained on.
        steps: Indices of the examples of each optimizer step.
        held_out: What the loss is measured on at the end; may be empty.
        max_tokens: Tokens in memory at once.
        optimisation: How weights move.
        compute: Device and number type.
        threads: CPU threads.
        seed: Of the initial weights.
        run_dir: Where checkpoints and the result go.
        checkpoint_every_steps: Steps between checkpoints.
        resume: Go on from the last complete checkpoint in `run_dir`.
    """

    base_dir: Path
    parent_dir: Path | None
    lora: LoraFacts
    dropout: float
    examples: Sequence[Example]
    steps: Sequence[list[int]]
    held_out: Sequence[Example]
    max_tokens: int
    optimisation: Optimisation
    compute: Compute
    threads: int
    seed: int
    run_dir: Path
    checkpoint_every_steps: int
    resume: bool


class StepReport(NamedTuple):
    """One optimizer step: its number from 1, mean loss per trained token, and tokens seen in it."""

    step: int
    loss: float
    tokens: int


class Outcome(NamedTuple):
    """What a run left behind.

    Attributes:
        adapter_dir: A PEFT directory.
        losses: Mean loss per trained token of every step, also those before a resume.
        held_out_loss: Mean loss per trained token of held-out rows, if there are any.
        seconds: Wall-clock time in the loop, in this process.
        tokens: Tokens seen in that time, prompts included.
        peak_memory_bytes: Of this process, or of the GPU.
    """

    adapter_dir: Path
    losses: list[float]
    held_out_loss: float | None
    seconds: float
    tokens: int
    peak_memory_bytes: int


def plan_steps(
    row_count: int, *, batch_rows: int, epochs: int, max_steps: int | None, seed: int
) -> list[list[int]]:
    """Lay down the whole run: the indices of the rows of every step.

    Every epoch holds every row once, in an order of its own; only its last step may be shorter.
    """
    shuffle = random.Random(seed)  # noqa: S311 - an order, not a secret
    steps: list[list[int]] = []
    for _ in range(epochs):
        order = list(range(row_count))
        shuffle.shuffle(order)
        steps += [order[i : i + batch_rows] for i in range(0, row_count, batch_rows)]
        if max_steps is not None and len(steps) >= max_steps:
            break
    return steps[:max_steps]
