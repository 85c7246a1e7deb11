"""Our own tokens, batches and losses in TRL's trainers; their loop, optimizers and checkpoints.

The only module that imports TRL. It knows nothing of recipes, files of rows or stores.
"""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import transformers
from datasets import Dataset
from peft import PeftModel
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import TrainerCallback
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from training import checkpoints, divergence, processes
from training.batches import Part, make_parts, trained_tokens
from training.encode import Example
from training.errors import TrainingError
from training.examining import Examiner, Loss
from training.forward import rows_apart
from training.job import Job, StepReport
from training.preferences import Pair
from training.stopping import StopRequest

OPTIMIZERS = {
    "adamw": "adamw_torch_fused",
    "adamw_8bit": "adamw_bnb_8bit",
    "paged_adamw": "paged_adamw_32bit",
    "paged_adamw_8bit": "paged_adamw_8bit",
}


@dataclass
class Run:
    """A job with its model, its loss and everybody who follows it."""

    job: Job
    model: PeftModel
    tokenizer: Any
    loss: Loss
    watch: Callable[[StepReport], None]
    stop: StopRequest
    log: checkpoints.StepLog
    examiner: Examiner | None
    tokens_seen: int = 0

    def weight(self, examples: Sequence[Example | Pair]) -> int:
        """What the loss is a mean over: trained tokens, or pairs."""
        return trained_tokens(examples) if self.job.beta is None else len(examples)


class _Steps:
    """What both trainers do our way; TRL's loop, optimizers and checkpoints are used as they are."""

    # TRL's own, named here for the methods below.
    accelerator: Any
    args: Any
    log: Any
    model: PeftModel
    remove_callback: Any
    state: Any

    def __init__(self, run: Run) -> None:
        self.run = run
        first = run.job.examples[0]
        weights = [weight for weight in run.model.parameters() if weight.requires_grad]
        exact = [weight.detach().clone() for weight in weights]
        super().__init__(  # type: ignore[call-arg]  # TRL's trainers come next
            model=run.model,
            args=_arguments(run.job),
            # Never read: the data loader below is ours.
            train_dataset=Dataset.from_dict(
                {"input_ids": [first.input_ids], "labels": [first.labels]}
            ),
            processing_class=run.tokenizer,
            callbacks=[_Steering(run)],
        )
        for weight, before in zip(weights, exact, strict=True):
            # TRL rounds the adapter on a quantised base to bfloat16, where small steps are lost.
            weight.data = before
        self.remove_callback(transformers.PrinterCallback)

    def get_train_dataloader(self) -> DataLoader[list[Part]]:
        """The whole run as one epoch, so that a resumed run skips to the very batch."""
        return DataLoader(
            self.run.job.examples,  # type: ignore[arg-type]  # a sequence is a dataset
            batch_sampler=self.run.job.steps,
            collate_fn=functools.partial(_own_parts, max_tokens=self.run.job.max_tokens),
        )

    def training_step(
        self,
        model: nn.Module,
        inputs: list[Part],
        num_items_in_batch: object = None,  # noqa: ARG002 - part of the overridden signature
    ) -> Tensor:
        """Add up the gradients of one optimizer step; every trained token (or pair) weighs the same."""
        model.train()
        base, step = self._base(), self.state.global_step
        examples = self._examples(step)
        weight = self.run.weight(examples)
        total = torch.zeros((), device=self.args.device)
        for part in inputs:
            with rows_apart(part):
                loss = self.run.loss(base, part.to(self.args.device)) / weight
                self.accelerator.backward(loss)
            total += loss.detach()
        processes.add_up(total)
        processes.add_up_gradients(base.parameters())
        if not math.isfinite(total):
            self._refuse("loss", float(total), step)
        tokens = sum(len(example.input_ids) for example in examples)
        self.run.tokens_seen += tokens
        self._note(StepReport(step + 1, float(total), tokens))
        return total

    def _note(self, report: StepReport) -> None:
        job = self.run.job
        self.run.log.append(report.step, report.loss)
        divergence.refuse_guessing(
            self.run.log.losses, self.model.config.vocab_size, job.optimisation.learning_rate
        )
        self.run.watch(report)
        if job.report_to:
            rate = self.lr_scheduler.get_last_lr()[0]  # type: ignore[attr-defined]  # TRL's
            self.log({"loss": report.loss, "learning_rate": rate})

    def floating_point_ops(self, inputs: list[Part]) -> int:  # noqa: ARG002 - overridden
        """Not counted; the count would want padded tensors."""
        return 0

    def _base(self) -> nn.Module:
        base: nn.Module = self.accelerator.unwrap_model(self.model).get_base_model()
        return base

    def _examples(self, step: int) -> list[Example | Pair]:
        return [self.run.job.examples[index] for index in self.run.job.steps[step]]

    def _get_grad_norm(self, model: PeftModel, grad_norm: float | None = None) -> float | None:
        norm: float | None = super()._get_grad_norm(model, grad_norm=grad_norm)  # type: ignore[misc]  # TRL's
        if norm is not None and not math.isfinite(norm):
            self._refuse("gradient", norm, self.state.global_step)
        return norm

    def _refuse(self, what: str, value: float, step: int) -> None:
        lines = divergence.culprits(self._base(), self._examples(step), self.run.loss)
        rate = self.run.job.optimisation.learning_rate
        divergence.refuse_number(what, value, step + 1, lines, rate)

    def _save_checkpoint(self, model: PeftModel, trial: object) -> None:
        run_dir = self.run.job.run_dir
        try:
            super()._save_checkpoint(model, trial)  # type: ignore[misc]  # TRL's
            processes.wait()
            if processes.is_writer():
                checkpoints.complete(run_dir, self.state.global_step)
        except (OSError, RuntimeError, SafetensorError) as error:
            raise TrainingError(
                f"Cannot save a checkpoint in {run_dir} ({error}). Expected room to write. "
                "Free some space; the checkpoint before is whole, --resume goes on from it."
            ) from error


class RowTrainer(_Steps, SFTTrainer):
    """Rows whose answers are learned."""


class PairTrainer(_Steps, DPOTrainer):
    """Pairs of answers of which one is preferred."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        # A copy of the adapter as reference, which was asked before; a checkpoint would hold it.
        self.model.delete_adapter("ref")

    def _prepare_dataset(self, dataset: Dataset, *_: object) -> Dataset:
        """Left alone; it is of tokens already."""
        return dataset


def _own_parts(examples: Sequence[Example | Pair], max_tokens: int) -> list[Part]:
    """Lay out the share of a step that is this process's."""
    longest_first = sorted(examples, key=lambda example: -len(example.input_ids))
    return make_parts(longest_first[processes.rank() :: processes.count()], max_tokens)


class _Steering(TrainerCallback):
    """Evaluates when it is time; saves at the end, when asked to stop, and when enough is enough."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> Any:  # noqa: ANN401, ARG002 - TRL's types
        run, last_step = self._run, len(self._run.job.steps)
        if run.examiner is not None and run.examiner.due(state.global_step, last_step):
            run.examiner.examine(run.model, state.global_step)
        stop = processes.any_of(run.stop.requested)
        if stop or (run.examiner is not None and run.examiner.exhausted):
            control.should_training_stop = True
        if control.should_training_stop or state.global_step == last_step:
            control.should_save = True
        return control


def _arguments(job: Job) -> SFTConfig | DPOConfig:
    schedules = {"constant": "constant_with_warmup"}
    optimisation = job.optimisation
    config = SFTConfig if job.beta is None else DPOConfig
    return config(
        output_dir=str(job.run_dir),
        max_steps=len(job.steps),
        learning_rate=optimisation.learning_rate,
        lr_scheduler_type=schedules.get(optimisation.schedule, optimisation.schedule),
        warmup_steps=round(optimisation.warmup_fraction * len(job.steps)),
        weight_decay=optimisation.weight_decay,
        max_grad_norm=optimisation.max_gradient_norm,
        optim=OPTIMIZERS[optimisation.optimizer],
        seed=job.seed,
        use_cpu=job.compute.device == "cpu",
        # The model is loaded in its number type; autocast would convert the weights at every use.
        bf16=False,
        # Done where the model is loaded, or not at all.
        gradient_checkpointing=False,
        max_length=None,
        dataloader_pin_memory=False,
        save_strategy="steps",
        save_steps=job.checkpoint_every_steps,
        save_total_limit=2,
        logging_strategy="no",
        report_to=list(job.report_to),
        disable_tqdm=True,
    )
