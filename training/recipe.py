"""The settings of a training run, declared once; flags, `--help` and the recipe file follow.

Everything else in this package takes the plain values it needs.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from training.rows import Column
from training.tasks import TaskName

Schedule = Literal["constant", "linear", "cosine"]
Precision = Literal["auto", "float32", "bfloat16"]


def _pairs(value: object) -> object:
    """Read `prompt=question,output=answer` as a mapping."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",")]
    return {name.strip(): column.strip() for name, _, column in pairs}


class Recipe(BaseModel):
    """Train a LoRA adapter on rows of prompt and output, and publish it as a new version."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    base: str = Field(description="base model: catalogue name, directory, or Hub id", min_length=1)
    rows: Path = Field(description="rows to train on: a .csv or .jsonl file in UTF-8")
    adapter: str = Field(description="name of the adapter to publish")
    task: TaskName = Field(default="instruct", description="kind of rows: instruct or pseudocode")
    columns: Annotated[dict[Column, str], BeforeValidator(_pairs)] = Field(
        default_factory=dict,
        description="column names where they differ: prompt=question,output=solution",
    )
    bad_rows: Literal["refuse", "drop"] = Field(
        default="refuse", description="what to do about rows that cannot be trained on"
    )
    eval_rows: Path | None = Field(
        default=None, description="held-out rows whose loss is measured at the end"
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
    learning_rate: float = Field(default=5e-4, gt=0, le=10, description="peak learning rate")
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
        if self.resume and self.dry_run:
            raise ValueError("resume=True and dry_run=True exclude each other; drop one")
        if self.max_length_tokens > self.max_tokens_per_batch:
            raise ValueError(
                f"max_length_tokens={self.max_length_tokens} is above "
                f"max_tokens_per_batch={self.max_tokens_per_batch}, so a longest row would not fit; "
                "raise the second or lower the first"
            )
        return self
