"""A published version measured in this process: adapter and base side by side on held-out rows.

Metrics are those of `training.metrics`; a share comes with its 95 % Wilson interval, any other mean
with that of a bootstrap over rows.
"""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from peft import PeftModel
from pydantic import BaseModel

from adapters.store import Version
from training import generating, metrics
from training.batches import make_parts, trained_tokens
from training.encode import encode, find_unfit
from training.errors import EvaluationFailed
from training.evaluate import wilson
from training.examining import cut
from training.forward import part_loss
from training.hardware import choose_compute, usable_cores
from training.loading import load_base
from training.preparing import load_tokenizer
from training.prompts import Tokenizer, word_as_served
from training.rows import Row
from training.tasks import TASKS, TaskName

RESAMPLES = 2000
MAX_TOKENS_AT_ONCE = 2048


class Mean(BaseModel):
    """A mean over rows with its 95 % interval."""

    mean: float
    low: float
    high: float
    of: int


class Measured(NamedTuple):
    """What was found.

    Attributes:
        adapter: Each metric of the adapter's answers, and `loss`, per trained token.
        base: The same of the base without it.
        answers: Of the adapter, in the order of the rows.
        base_answers: Of the base.
        drift: Loss on the base as it was quantised in training, if it was.
    """

    adapter: dict[str, Mean]
    base: dict[str, Mean]
    answers: list[str]
    base_answers: list[str]
    drift: float | None


def mean(values: Sequence[float]) -> Mean:
    """The mean of values, with the 2.5 and 97.5 percentiles of means of resampled values.

    Of what is either right or wrong it is a share, with its Wilson interval.
    """
    if set(values) <= {0.0, 1.0}:
        found = wilson(round(sum(values)), len(values))
        return Mean(mean=found.share, low=found.low, high=found.high, of=found.of)
    draw = random.Random(0)  # noqa: S311 - a resampling, not a secret
    count = len(values)
    means = sorted(sum(draw.choices(values, k=count)) / count for _ in range(RESAMPLES))
    low, high = means[round(0.025 * RESAMPLES)], means[round(0.975 * RESAMPLES) - 1]
    return Mean(mean=sum(values) / count, low=low, high=high, of=count)


def measure(
    version: Version,
    base_dir: Path,
    task: TaskName,
    rows: Sequence[Row],
    names: Sequence[str],
    max_tokens: int | None,
) -> Measured:
    """Let a version and its base answer rows, and score both.

    Args:
        version: What is measured.
        base_dir: The base model it was trained on.
        task: Kind of the rows.
        rows: Held out, without mistakes.
        names: Metrics.
        max_tokens: Limit of an answer; the task's own if not given.

    Raises:
        EvaluationFailed: A metric is unknown or its library missing, or a row does not fit.
    """
    found = {name: metrics.find(name) for name in names}
    compute = choose_compute("float32", usable_cores())
    model = PeftModel.from_pretrained(
        load_base(base_dir, compute.device, compute.dtype, None), version.path
    )
    tokenizer = load_tokenizer(base_dir)
    render = word_as_served(version.manifest.prompt, TASKS[task], tokenizer)
    subject = _Subject(model, tokenizer, task, render, rows, max_tokens)
    answers, losses = subject.answers(), subject.losses()
    with model.disable_adapter():
        base_answers, base_losses = subject.answers(), subject.losses()

    def score(given: list[str], loss: list[float]) -> dict[str, Mean]:
        scores = metrics.score(found, given, rows) | {"loss": loss}
        return {name: mean(values) for name, values in scores.items()}

    bits = version.manifest.training.get("quantise")
    drift = None
    if isinstance(bits, str):
        quantised = load_base(base_dir, compute.device, compute.dtype, bits)
        subject = subject._replace(model=PeftModel.from_pretrained(quantised, version.path))
        drift = mean(subject.losses()).mean
    return Measured(
        score(answers, losses), score(base_answers, base_losses), answers, base_answers, drift
    )


class _Subject(NamedTuple):
    """A model and the rows it is asked."""

    model: PeftModel
    tokenizer: Tokenizer
    task: TaskName
    render: Callable[[str], str]
    rows: Sequence[Row]
    max_tokens: int | None

    def answers(self) -> list[str]:
        """What the model answers, greedily."""
        prompts = [self.render(row.prompt) for row in self.rows]
        ids = generating.generate(
            self.model,
            self.tokenizer(prompts, add_special_tokens=False)["input_ids"],
            max_tokens=self.max_tokens or TASKS[self.task].max_answer_tokens,
            eos=self.tokenizer.eos_token_id or 0,
        )
        return [cut(self.tokenizer.decode(each), TASKS[self.task].stop) for each in ids]

    def losses(self) -> list[float]:
        """Mean loss per token of the gold output, row by row."""
        examples = encode(self.rows, self.tokenizer, self.render)
        unfit = find_unfit(self.rows, examples, self.tokenizer, MAX_TOKENS_AT_ONCE)
        if unfit:
            raise EvaluationFailed(
                f"{len(unfit)} row(s) cannot be measured, the first: {next(iter(unfit.values()))}. "
                "Expected rows as for training. Mend or remove them."
            )
        base, found = self.model.get_base_model(), []
        self.model.eval()
        with torch.no_grad():
            for example in examples:
                (part,) = make_parts([example], 1)
                total = part_loss(base, part.to(base.device))
                found.append(float(total) / trained_tokens([example]))
        return found
