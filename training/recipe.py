"""The settings of every kind of training run, declared once; flags, `--help` and recipe files follow.

Everything else in this package takes the plain values it needs.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from training.rows import Column
from training.tasks import TaskName

Schedule = Literal["constant", "linear", "cosine"]
Precision = Literal["auto", "float32", "bfloat16"]
Quantisation = Literal["4bit", "8bit"]
OptimizerName = Literal["adamw", "adamw_8bit", "paged_adamw", "paged_adamw_8bit"]
DeviceName = Literal["auto", "cpu", "cuda", "4090"]

_SERVED = "vLLM, which is to serve the adapter, refuses it"
# What other trainers offer and an engine would refuse or silently drop, with the reason.
REFUSED = {
    **dict.fromkeys(("dora", "use_dora"), f"DoRA is not trained here: {_SERVED}; use rslora"),
    **dict.fromkeys(
        ("bias", "lora_bias"), f"bias weights are not trained here: {_SERVED}; leave it out"
    ),
    "modules_to_save": f"whole layers are not trained here: {_SERVED}; raise the rank instead",
    **dict.fromkeys(
        ("init_lora_weights", "pissa", "olora", "loftq", "corda"),
        f"initial weights that change the base model are not offered: {_SERVED}; leave it out",
    ),
    "layer_replication": f"layers are not repeated here: {_SERVED}; leave it out",
    **dict.fromkeys(
        ("trainable_token_indices", "new_tokens"),
        f"tokens are not added to the vocabulary: {_SERVED}; word the prompt with those there are",
    ),
}


def _pairs(value: object) -> object:
    """Read `prompt=question,output=answer` as a mapping."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",")]
    return {name.strip(): column.strip() for name, _, column in pairs}


def _learning_rate(default: float) -> Any:  # noqa: ANN401 - pydantic types a field so
    return Field(default=default, gt=0, le=10, description="peak learning rate")


class RunRecipe(BaseModel):
    """What the runs of every stage have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    base: str = Field(description="base model: catalogue name, directory, or Hub id", min_length=1)
    rows: Path = Field(description="what to train on; docs/training.md says which files")
    adapter: str = Field(description="name of the adapter to publish")
    bad_rows: Literal["refuse", "drop"] = Field(
        default="refuse", description="what to do about rows that cannot be trained on"
    )
    eval_rows: Path | None = Field(
        default=None, description="held-out rows; their loss is measured, and questions answered"
    )
    eval_every_steps: int | None = Field(
        default=None, ge=1, description="steps between evaluations [default: only at the end]"
    )
    eval_answers: int = Field(
        default=16, ge=0, le=10_000, description="held-out questions answered at each evaluation"
    )
    early_stopping: int | None = Field(
        default=None, ge=1, description="stop after so many evaluations without a better one"
    )
    report_to: list[str] = Field(
        default_factory=list, description="experiment trackers: tensorboard, wandb, mlflow, ..."
    )
    data_licence: str | None = Field(
        default=None, description="licence of the rows, noted in the manifest"
    )
    store: Path | None = Field(
        default=None, description="store to publish to [default: $LORADOCK_STORE, or user data]"
    )
    run_dir: Path | None = Field(
        default=None, description="checkpoints and plots [default: runs/ADAPTER-TIME]"
    )
    continue_from: str | None = Field(
        default=None, description="version to train further, name@3; its LoRA shape is kept"
    )
    rank: int = Field(default=16, ge=1, le=256, description="LoRA rank")
    alpha: float = Field(
        default=32.0, gt=0, le=4096, description="LoRA alpha; scale = alpha / rank"
    )
    rslora: bool = Field(default=False, description="scale by alpha / sqrt(rank) instead")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="LoRA dropout; above 0 is slower")
    quantise: Quantisation | None = Field(
        default=None, description="keep the base in 4bit (nf4, double quantisation) or 8bit"
    )
    optimizer: OptimizerName = Field(
        default="adamw", description="adamw, adamw_8bit, paged_adamw or paged_adamw_8bit"
    )
    gradient_checkpointing: bool = Field(
        default=False, description="compute activations twice: less memory, a third more time"
    )
    learning_rate: float = _learning_rate(5e-4)
    schedule: Schedule = Field(
        default="cosine", description="learning rate after warm-up: constant, linear or cosine"
    )
    warmup_fraction: float = Field(
        default=0.05, ge=0, lt=1, description="share of steps to warm up"
    )
    weight_decay: float = Field(default=0.0, ge=0, lt=1, description="AdamW weight decay")
    max_gradient_norm: float = Field(default=1.0, gt=0, description="gradients are clipped to this")
    epochs: int = Field(default=1, ge=1, le=1000, description="passes over the rows")
    max_steps: int | None = Field(default=None, ge=1, description="stop after so many steps")
    batch_rows: int = Field(default=16, ge=1, le=4096, description="rows per optimizer step")
    max_tokens_per_batch: int = Field(
        default=2048,
        ge=16,
        description="tokens in memory at once; a step of more is split, with the same result",
    )
    max_length_tokens: int = Field(
        default=1024, ge=8, description="longer rows are dropped and reported, never cut"
    )
    seed: int = Field(default=0, ge=0, lt=2**32, description="seed of order and initial weights")
    device: DeviceName = Field(
        default="auto", description="auto, cpu, cuda; with dry_run also 4090, which is worked out"
    )
    threads: int | None = Field(
        default=None, ge=1, le=1024, description="CPU threads [default: the cores we may use]"
    )
    dtype: Precision = Field(
        default="auto",
        description="auto (bfloat16 where it is measured to be faster), float32 or bfloat16",
    )
    checkpoint_every_steps: int = Field(
        default=200, ge=1, description="steps between checkpoints; Ctrl-C saves one too"
    )
    resume: bool = Field(default=False, description="go on from the last checkpoint in run_dir")
    dry_run: bool = Field(default=False, description="print the verdict and stop before training")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.resume and self.run_dir is None:
            raise ValueError("resume needs run_dir, the directory that the stopped run printed")
        if self.device not in ("auto", "cpu", "cuda") and not self.dry_run:
            raise ValueError(f"device={self.device} is on paper only; add dry_run")
        if self.eval_rows is None and (self.eval_every_steps or self.early_stopping):
            raise ValueError("eval_every_steps and early_stopping need eval_rows to look at")
        if self.early_stopping and not self.eval_every_steps:
            raise ValueError("early_stopping needs eval_every_steps, how often to look")
        if self.resume and self.dry_run:
            raise ValueError("resume=True and dry_run=True exclude each other; drop one")
        if self.max_length_tokens > self.max_tokens_per_batch:
            raise ValueError(
                f"max_length_tokens={self.max_length_tokens} is above "
                f"max_tokens_per_batch={self.max_tokens_per_batch}, so a longest row would not fit; "
                "raise the second or lower the first"
            )
        return self


class Recipe(RunRecipe):
    """Train a LoRA adapter on rows of prompt and output, and publish it as a new version."""

    task: TaskName = Field(default="instruct", description="kind of rows: instruct or pseudocode")
    columns: Annotated[dict[Column, str], BeforeValidator(_pairs)] = Field(
        default_factory=dict,
        description="column names where they differ: prompt=question,output=solution",
    )

    examples: int = Field(
        default=0,
        ge=0,
        le=8,
        description="rows that stand worked out before every prompt, in training and served",
    )


class PretrainRecipe(RunRecipe):
    """Train a LoRA adapter on raw text, and publish it as a new version."""

    learning_rate: float = _learning_rate(2e-4)


class DpoRecipe(Recipe):
    """Train a LoRA adapter to prefer one answer over another, and publish it as a new version."""

    learning_rate: float = _learning_rate(5e-5)
    beta: float = Field(
        default=0.1, gt=0, le=10, description="how far answers may move from the reference"
    )
    rejected_from: str | None = Field(
        default=None,
        description="version or `base` whose wrong answers to the rows become the rejected ones",
    )
