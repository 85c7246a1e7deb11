"""What is to be trained, in plain values, and what came of it. No torch, so checks start at once."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from adapters.manifest import LoraFacts
from training.encode import Example
from training.preferences import Pair


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
    optimizer: str


class Questions(NamedTuple):
    """Held-out questions that the model answers, and what its answers are worth.

    Attributes:
        prompts: Token ids, as the model sees them.
        score: Mean of the task's metric over answers in the same order; higher is better.
        metric: Its name.
        max_answer_tokens: Limit of an answer.
        stop: Strings that end an answer, beside the end-of-text token.
    """

    prompts: Sequence[list[int]]
    score: Callable[[Sequence[str]], float]
    metric: str
    max_answer_tokens: int
    stop: Sequence[str]


@dataclass(frozen=True)
class HeldOut:
    """What a model is measured on, and when.

    Attributes:
        examples: For the loss.
        questions: Answered by generation, if the task has answers to be scored.
        every_steps: Steps between evaluations; only at the end if `None`.
        patience: Evaluations without a better one after which the run stops.
    """

    examples: Sequence[Example | Pair]
    questions: Questions | None
    every_steps: int | None
    patience: int | None


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
        held_out: What the model is measured on, if there is something.
        probes: Prompts of which those are looked for whose answers the adapter changes.
        max_tokens: Tokens in memory at once.
        quantise: "4bit" or "8bit" for a base kept so, or `None`.
        gradient_checkpointing: Compute activations twice instead of keeping them.
        beta: Of DPO, when examples are pairs.
        optimisation: How weights move.
        compute: Device and number type.
        threads: CPU threads.
        seed: Of the initial weights.
        run_dir: Where checkpoints and the result go.
        checkpoint_every_steps: Steps between checkpoints.
        resume: Go on from the last complete checkpoint in `run_dir`.
        report_to: Experiment trackers.
    """

    base_dir: Path
    parent_dir: Path | None
    lora: LoraFacts
    dropout: float
    examples: Sequence[Example | Pair]
    steps: Sequence[list[int]]
    held_out: HeldOut | None
    probes: Sequence[list[int]]
    max_tokens: int
    quantise: str | None
    gradient_checkpointing: bool
    beta: float | None
    optimisation: Optimisation
    compute: Compute
    threads: int
    seed: int
    run_dir: Path
    checkpoint_every_steps: int
    resume: bool
    report_to: Sequence[str]

    @property
    def step_tokens(self) -> list[int]:
        """The tokens of every optimizer step."""
        lengths = [len(example.input_ids) for example in self.examples]
        return [sum(lengths[row] for row in step) for step in self.steps]


class StepReport(NamedTuple):
    """One optimizer step: its number from 1, mean loss per trained token, and tokens seen in it."""

    step: int
    loss: float
    tokens: int


class Finding(NamedTuple):
    """What held-out rows said of the model after a step.

    Attributes:
        step: Optimizer steps done.
        loss: Mean loss per trained token, or per pair.
        score: Of the answers, by the task's metric, if there were questions.
    """

    step: int
    loss: float
    score: float | None

    def better_than(self, other: "Finding") -> bool:
        """By the score if there is one, where equal and else by the loss."""
        if self.score is not None and other.score is not None and self.score != other.score:
            return self.score > other.score
        return self.loss < other.loss


class Outcome(NamedTuple):
    """What a run left behind.

    Attributes:
        adapter_dir: A PEFT directory; of the best evaluation, if there were several.
        losses: Mean loss per trained token (or per pair) of every step, also before a resume.
        findings: Evaluations, the earliest first.
        kept: The evaluation that belongs to the adapter, if there was one.
        differing: Whether the adapter changes the answer, for each probe of the job.
        seconds: Wall-clock time in the loop, in this process.
        tokens: Tokens seen in that time, prompts included.
        peak_memory_bytes: Of this process, or of the GPU.
    """

    adapter_dir: Path
    losses: list[float]
    findings: list[Finding]
    kept: Finding | None
    differing: list[bool]
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
