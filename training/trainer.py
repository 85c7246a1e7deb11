"""The training loop: TRL's SFTTrainer over our own tokens, batches and loss.

The only module that imports TRL. It takes examples and plain values, knows nothing of recipes,
files of rows or stores, and leaves an adapter directory.
"""

import functools
import math
import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
import transformers
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import SafetensorError
from torch.utils.data import DataLoader
from transformers import AutoConfig, AutoModelForCausalLM, TrainerCallback, set_seed
from trl import SFTConfig, SFTTrainer

from training import checkpoints
from training.batches import Part, make_parts
from training.encode import IGNORED, Example
from training.errors import RunDiverged, RunStopped, TrainingError
from training.forward import attention_for, part_loss
from training.job import Job, Outcome, StepReport
from training.lora_layers import speed_up
from training.stopping import StopRequest

# A loss that stays above that of guessing every token alike is one that will not come back.
PATIENCE_STEPS = 8
SLACK_NATS = 1.0


def train(job: Job, watch: Callable[[StepReport], None], stop: StopRequest) -> Outcome:
    """Train and save an adapter.

    Args:
        job: The run.
        watch: Told about every step.
        stop: When it becomes true, the run saves a checkpoint and ends.

    Raises:
        RunDiverged: Loss or gradients are not finite, or the loss is worse than guessing.
        RunStopped: `stop` became true; the message says how to go on.
        TrainingError: A checkpoint cannot be read or written.
    """
    torch.set_num_threads(job.threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    set_seed(job.seed)
    checkpoint = checkpoints.latest(job.run_dir) if job.resume else None
    log = checkpoints.StepLog(job.run_dir, keep=checkpoint.step if checkpoint else 0)
    trainer = _RowTrainer(job, load_model(job), watch, stop, log)
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=str(checkpoint.path) if checkpoint else None)
    seconds = time.monotonic() - started
    if trainer.state.global_step < len(job.steps):
        raise RunStopped(
            f"Stopped after step {trainer.state.global_step} of {len(job.steps)}; a checkpoint is "
            f"saved. Go on with the same command and --run-dir {job.run_dir} --resume"
        )
    adapter_dir = checkpoints.replace_directory(
        job.run_dir / "adapter", trainer.model.save_pretrained
    )
    held_out = held_out_loss(trainer.model, job.held_out, job.max_tokens) if job.held_out else None
    return Outcome(
        adapter_dir, log.losses, held_out, seconds, trainer.tokens_seen, peak_memory_bytes()
    )


def peak_memory_bytes() -> int:
    """The most memory this process has had at once."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def load_model(job: Job) -> PeftModel:
    """Load the base model and put the adapter to be trained on it."""
    config = AutoConfig.from_pretrained(job.base_dir, local_files_only=True)
    base = AutoModelForCausalLM.from_pretrained(
        job.base_dir,
        config=config,
        dtype=getattr(torch, job.compute.dtype),
        attn_implementation=attention_for(config.model_type),
        local_files_only=True,
    ).to(job.compute.device)
    if job.parent_dir is not None:
        model = PeftModel.from_pretrained(base, job.parent_dir, is_trainable=True)
    else:
        lora = LoraConfig(
            r=job.lora.rank,
            lora_alpha=job.lora.alpha,
            use_rslora=job.lora.rslora,
            lora_dropout=job.dropout,
            target_modules=job.lora.targets,
            task_type="CAUSAL_LM",
            fan_in_fan_out=config.model_type == "gpt2",
        )
        model = get_peft_model(base, lora)
    speed_up(model)
    return model


def held_out_loss(model: PeftModel, examples: Sequence[Example], max_tokens: int) -> float:
    """Mean loss per trained token over examples, without training on them."""
    model.eval()
    base = model.get_base_model()
    total = torch.zeros((), device=base.device)
    trained = 0
    with torch.no_grad():
        for part in make_parts(examples, max_tokens):
            total += part_loss(base, part.to(base.device))
            trained += int((part.targets != IGNORED).sum())
    return float(total) / max(trained, 1)


class _RowTrainer(SFTTrainer):
    """SFTTrainer with our batches and loss; its loop, optimizer and checkpoints are used as they are."""

    def __init__(
        self,
        job: Job,
        model: PeftModel,
        watch: Callable[[StepReport], None],
        stop: StopRequest,
        log: checkpoints.StepLog,
    ) -> None:
        self.job = job
        self.tokens_seen = 0
        self._watch = watch
        self._log = log
        self._guessing = math.log(model.config.vocab_size) + SLACK_NATS
        columns = {
            "input_ids": [example.input_ids for example in job.examples],
            "labels": [example.labels for example in job.examples],
        }
        super().__init__(
            model=model,
            args=_arguments(job),
            train_dataset=Dataset.from_dict(columns),
            processing_class=transformers.AutoTokenizer.from_pretrained(
                job.base_dir, local_files_only=True
            ),
            callbacks=[_Steering(stop, len(job.steps))],
        )
        self.remove_callback(transformers.PrinterCallback)

    def get_train_dataloader(self) -> DataLoader[list[Part]]:
        """The whole run as one epoch, so that a resumed run skips to the very batch."""
        return DataLoader(
            self.job.examples,  # type: ignore[arg-type]  # a sequence is a dataset
            batch_sampler=self.job.steps,
            collate_fn=functools.partial(make_parts, max_tokens=self.job.max_tokens),
        )

    def training_step(
        self,
        model: PeftModel,
        inputs: list[Part],
        num_items_in_batch: object = None,  # noqa: ARG002 - part of the overridden signature
    ) -> torch.Tensor:
        """Add up the gradients of one optimizer step; every trained token weighs the same."""
        model.train()
        trained = sum(int((part.targets != IGNORED).sum()) for part in inputs)
        total = torch.zeros((), device=self.args.device)
        for part in inputs:
            loss = part_loss(model.get_base_model(), part.to(self.args.device)) / trained
            self.accelerator.backward(loss)
            total += loss.detach()
        self._check(float(total), inputs)
        tokens = sum(len(part.input_ids) for part in inputs)
        self.tokens_seen += tokens
        report = StepReport(
            step=self.state.global_step + 1,
            loss=float(total),
            tokens=tokens,
        )
        self._log.append(report.step, report.loss)
        self._watch(report)
        return total

    def floating_point_ops(self, inputs: list[Part]) -> int:  # noqa: ARG002 - overridden
        """Not counted; the count would want padded tensors."""
        return 0

    def _get_grad_norm(self, model: PeftModel, grad_norm: float | None = None) -> float | None:
        norm: float | None = super()._get_grad_norm(model, grad_norm=grad_norm)
        if norm is not None and not math.isfinite(norm):
            step = self.state.global_step
            lines = sorted(self.job.examples[index].line for index in self.job.steps[step])
            raise RunDiverged(_not_finite("gradient", norm, step + 1, lines, self.job))
        return norm

    def _check(self, loss: float, parts: list[Part]) -> None:
        step = self.state.global_step + 1
        if not math.isfinite(loss):
            lines = sorted(line for part in parts for line in part.lines)
            raise RunDiverged(_not_finite("loss", loss, step, lines, self.job))
        recent = [*self._log.losses[-PATIENCE_STEPS + 1 :], loss]
        if len(recent) == PATIENCE_STEPS and min(recent) > self._guessing:
            raise RunDiverged(
                f"The loss has been above {self._guessing:.1f} for {PATIENCE_STEPS} steps (now "
                f"{loss:.1f} at step {step}), which is worse than guessing every token alike. The "
                f"learning rate {self.job.optimisation.learning_rate:g} is too high; try a tenth."
            )

    def _save_checkpoint(self, model: PeftModel, trial: object) -> None:
        try:
            super()._save_checkpoint(model, trial)
            checkpoints.complete(self.job.run_dir, self.state.global_step)
        except (OSError, RuntimeError, SafetensorError) as error:
            raise TrainingError(
                f"Cannot save a checkpoint in {self.job.run_dir} ({error}). Expected room to write. "
                "Free some space; the checkpoint before is whole, --resume goes on from it."
            ) from error


def _not_finite(what: str, value: float, step: int, lines: list[int], job: Job) -> str:
    return (
        f"The {what} became {value} at step {step}, on the rows at lines "
        f"{', '.join(map(str, lines))} of the file; expected a finite number. Look at these rows, "
        f"or lower the learning rate {job.optimisation.learning_rate:g}."
    )


class _Steering(TrainerCallback):
    """Saves at the end and when asked to stop."""

    def __init__(self, stop: StopRequest, last_step: int) -> None:
        self._stop = stop
        self._last_step = last_step

    def on_step_end(self, args: Any, state: Any, control: Any, **_: object) -> Any:  # noqa: ANN401, ARG002 - TRL's types
        if self._stop.requested:
            control.should_training_stop = True
        if self._stop.requested or state.global_step == self._last_step:
            control.should_save = True
        return control


def _arguments(job: Job) -> SFTConfig:
    schedules = {"constant": "constant_with_warmup"}
    optimisation = job.optimisation
    return SFTConfig(
        output_dir=str(job.run_dir),
        max_steps=len(job.steps),
        learning_rate=optimisation.learning_rate,
        lr_scheduler_type=schedules.get(optimisation.schedule, optimisation.schedule),
        warmup_steps=round(optimisation.warmup_fraction * len(job.steps)),
        weight_decay=optimisation.weight_decay,
        max_grad_norm=optimisation.max_gradient_norm,
        seed=job.seed,
        use_cpu=job.compute.device == "cpu",
        # The model is loaded in its number type; autocast would convert the weights at every use.
        bf16=False,
        # Trades time for memory that short rows do not need.
        gradient_checkpointing=False,
        max_length=None,
        dataloader_pin_memory=False,
        save_strategy="steps",
        save_steps=job.checkpoint_every_steps,
        save_total_limit=2,
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
