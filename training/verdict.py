"""The verdict before a run: what will be trained, what it takes, and what speaks against it.

Works from sizes and counts alone; no weights are read.
"""

import math
import shutil
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from safetensors import safe_open

from basemodels.modules import linear_shapes, read_config
from training.encode import length_line, preview
from training.errors import RunRefused
from training.hardware import free_memory_bytes
from training.job import Compute, Job
from training.preparing import Prepared, listed
from training.progress import duration

BYTES = {"float32": 4, "bfloat16": 2}
ADAM_BYTES_PER_WEIGHT = 16
# Torch, transformers and their caches before any model is loaded, measured.
RUNTIME_BYTES = 800_000_000
# What autograd keeps of a decoder layer per position, in multiples of its widths; calibrated
# against the measured peak on a Llama.
KEPT_HIDDEN = 16
KEPT_INNER = 5
LOGIT_TILE_BYTES = 3 * (1 << 24) * 4
# Share of the measured speed of a single product that a whole step reaches.
EFFICIENCY = 0.6
MIN_FREE_DISK_BYTES = 100_000_000


def show(job: Job, trained: Prepared, console: Console) -> None:
    """Print the verdict on a run.

    Args:
        job: The run; its LoRA has passed the gate.
        trained: Its rows, for what was left out and for a preview.
        console: Where people read it.

    Raises:
        RunRefused: The machine lacks something.
    """
    sheet = trained.sheet
    sizes = measure(job.base_dir, job.lora.rank)
    needs = estimate(sizes, job)
    console.print(f"Rows:     {len(sheet.rows)} of {sheet.count} kept, from {sheet.path}")
    if sheet.problems:
        console.print(listed(sheet.problems), markup=False)
    console.print(f"Tokens:   {length_line(job.examples)}")
    first = preview(job.examples[0], trained.tokenizer)
    console.print("Preview:  (trained tokens in brackets)")
    console.print("".join(f"  | {line}\n" for line in first.splitlines()), end="", markup=False)
    lora = job.lora
    console.print(
        f"Adapter:  rank {lora.rank}, alpha {lora.alpha:g} on {', '.join(lora.targets)}: "
        f"{sizes.adapter_weights:,} weights, {gigabytes(4 * sizes.adapter_weights)}; "
        "the gate accepts it"
    )
    console.print(
        f"Run:      {len(job.steps)} steps of up to {max(map(len, job.steps))} rows; "
        f"{job.compute.device}, {job.threads} threads, {job.compute.dtype} ({job.compute.reason})"
    )
    free = gigabytes(free_memory_bytes(job.compute.device))
    console.print(
        f"Needs:    about {gigabytes(needs.memory_bytes)} of {free} free memory, "
        f"{gigabytes(needs.disk_bytes)} of disk in {job.run_dir}, about {duration(needs.seconds)}"
    )
    lacking = shortages(needs, job.run_dir, job.compute)
    if lacking:
        raise RunRefused("The run does not fit this machine. " + " ".join(lacking))


@dataclass(frozen=True)
class Sizes:
    """A base model and the adapter on it, in numbers of weights.

    Attributes:
        base_weights: Weights of the base.
        linear_weights: Of them, in linear layers inside the decoder.
        head_weights: Of the output head.
        adapter_weights: Weights of the adapter.
        kept_per_token: Values that autograd keeps for a position.
    """

    base_weights: int
    linear_weights: int
    head_weights: int
    adapter_weights: int
    kept_per_token: int


@dataclass(frozen=True)
class Needs:
    """What a run takes: memory at its peak, disk, time."""

    memory_bytes: int
    disk_bytes: int
    seconds: float


def measure(base_dir: Path, rank: int) -> Sizes:
    """Add up the weights of a base model and of an adapter on all its linear layers.

    Raises:
        BaseModelError: The base model's configuration cannot be read.
    """
    shapes = linear_shapes(base_dir)
    config = read_config(base_dir)
    hidden = int(str(config.get("hidden_size") or config.get("n_embd")))
    vocabulary = int(str(config["vocab_size"]))
    layers = len({module.rsplit(".", 2)[0] for module in shapes})
    widest = max(max(shape) for shape in shapes.values())
    return Sizes(
        base_weights=_stored_weights(base_dir),
        linear_weights=sum(inputs * outputs for inputs, outputs in shapes.values()),
        head_weights=hidden * vocabulary,
        adapter_weights=sum(rank * (inputs + outputs) for inputs, outputs in shapes.values()),
        kept_per_token=layers * (KEPT_HIDDEN * hidden + KEPT_INNER * widest),
    )


def _stored_weights(base_dir: Path) -> int:
    total = 0
    for path in base_dir.glob("*.safetensors"):
        with safe_open(path, framework="numpy") as file:
            total += sum(math.prod(file.get_slice(key).get_shape()) for key in file.keys())  # noqa: SIM118 - not a dict
    return total


def estimate(sizes: Sizes, job: Job) -> Needs:
    """Estimate what a run takes.

    Args:
        sizes: Of its base model and its adapter.
        job: The run.
    """
    lengths = [len(example.input_ids) for example in job.examples]
    fullest = max(sum(lengths[i] for i in step) for step in job.steps)
    at_once = min(job.max_tokens, fullest)
    value_bytes = BYTES[job.compute.dtype]
    memory = (
        RUNTIME_BYTES
        + sizes.base_weights * value_bytes
        + sizes.adapter_weights * ADAM_BYTES_PER_WEIGHT
        + at_once * sizes.kept_per_token * value_bytes
        + LOGIT_TILE_BYTES
    )
    labelled = [sum(label >= 0 for label in example.labels) for example in job.examples]
    tokens = sum(lengths[i] for step in job.steps for i in step)
    trained = sum(labelled[i] for step in job.steps for i in step)
    # Forward and gradient of the input; frozen weights have no gradient of their own.
    operations = 4 * (
        tokens * (sizes.linear_weights + 2 * sizes.adapter_weights) + trained * sizes.head_weights
    )
    seconds = operations / (job.compute.flops_per_s * EFFICIENCY)
    return Needs(memory, 4 * ADAM_BYTES_PER_WEIGHT * sizes.adapter_weights, seconds)


def shortages(needs: Needs, run_dir: Path, compute: Compute) -> list[str]:
    """Say what the machine lacks for a run, each with a remedy.

    Args:
        needs: What it takes.
        run_dir: Where checkpoints go; need not exist.
        compute: Device and number type.
    """
    found = []
    free = free_memory_bytes(compute.device)
    if needs.memory_bytes > free:
        found.append(
            f"It needs about {gigabytes(needs.memory_bytes)} of memory, {gigabytes(free)} are "
            f"free. Lower max_tokens_per_batch, then rank, or choose a smaller base."
        )
    there = next(
        path for path in [run_dir.absolute(), *run_dir.absolute().parents] if path.exists()
    )
    disk = shutil.disk_usage(there).free
    wanted = needs.disk_bytes + MIN_FREE_DISK_BYTES
    if wanted > disk:
        found.append(
            f"It writes up to {gigabytes(wanted)} to {run_dir}, {gigabytes(disk)} are free. "
            "Free some space or choose another run_dir."
        )
    return found


def gigabytes(size_bytes: float) -> str:
    """Say a size as people do."""
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1e8 else f"{size_bytes / 1e6:.1f} MB"
