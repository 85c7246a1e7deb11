"""The verdict before a run: what will be trained, what it takes, and what speaks against it.

Works from sizes and counts alone; no weights are read.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from basemodels.modules import read_config
from basemodels.sizes import Sizes, sizes_of
from basemodels.training_memory import (
    ADAM_BYTES,
    CPU_RUNTIME_BYTES,
    CUDA_RUNTIME_BYTES,
    Setup,
    memory_parts,
)
from training import memory
from training.batches import trained_tokens
from training.encode import Example, length_line, preview
from training.errors import RunRefused
from training.hardware import free_memory_bytes
from training.job import Job
from training.memory import Machine
from training.preferences import Pair
from training.preparing import Prepared, listed
from training.progress import duration
from training.prompts import Tokenizer

MIN_FREE_DISK_BYTES = 100_000_000
# Two whole checkpoints, the best adapter and the result.
CHECKPOINT_COPIES = 4


class Needs(NamedTuple):
    """What a run takes: memory at its peak by part, disk, time."""

    parts: dict[str, int]
    disk_bytes: int
    seconds: float

    @property
    def memory_bytes(self) -> int:
        """All parts together."""
        return sum(self.parts.values())


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
    console.print(f"Rows:     {len(sheet.rows)} of {sheet.count} kept, from {sheet.path}")
    if sheet.problems:
        console.print(listed(sheet.problems), markup=False)
    singles = [single for example in job.examples for single in example.singles]
    console.print(f"Tokens:   {length_line(singles)}")
    if trained.wording.examples:
        prefix = trained.tokenizer([trained.wording.render("")], add_special_tokens=False)
        console.print(
            f"Examples: {len(trained.wording.examples)} before every prompt, "
            f"{len(prefix['input_ids'][0])} tokens with the form"
        )
    console.print("Preview:  (trained tokens in brackets)")
    for text in _previews(job.examples[0], trained.tokenizer):
        console.print("".join(f"  | {line}\n" for line in text.splitlines()), end="", markup=False)
    sizes = sizes_of(read_config(job.base_dir))
    _show_run(job, sizes, console)
    machine = machine_of(job)
    setup = setup_of(job)
    needs = estimate(sizes, setup, machine, job)
    show_needs(needs, machine, console)
    console.print(f"          {gigabytes(needs.disk_bytes)} of disk in {job.run_dir}")
    lacking = shortages(sizes, setup, machine, needs, job.run_dir)
    if lacking:
        raise RunRefused("The run does not fit this machine. " + " ".join(lacking))


def _previews(example: Example | Pair, tokenizer: Tokenizer) -> list[str]:
    if isinstance(example, Example):
        return [preview(example, tokenizer)]
    return [
        "chosen: " + preview(example.chosen, tokenizer),
        "rejected: " + preview(example.rejected, tokenizer),
    ]


def _show_run(job: Job, sizes: Sizes, console: Console) -> None:
    lora = job.lora
    weights = lora.rank * sizes.lora_per_rank
    console.print(
        f"Adapter:  rank {lora.rank}, alpha {lora.alpha:g} on {', '.join(lora.targets)}: "
        f"{weights:,} weights, {gigabytes(4 * weights)}; the gate accepts it"
    )
    base = f", base in {job.quantise}" if job.quantise else ""
    console.print(
        f"Run:      {len(job.steps)} steps of up to {max(map(len, job.steps))} rows; "
        f"{job.compute.device}, {job.threads} threads, {job.compute.dtype} "
        f"({job.compute.reason}){base}"
    )


def show_needs(needs: Needs, machine: Machine, console: Console) -> None:
    """Print memory by part against a device, and time."""
    parts = ", ".join(f"{name} {gigabytes(size)}" for name, size in needs.parts.items() if size)
    console.print(
        f"Needs:    about {gigabytes(needs.memory_bytes)} of {gigabytes(machine.memory_bytes)} free "
        f"memory ({parts}), about {duration(needs.seconds)}"
    )


def machine_of(job: Job) -> Machine:
    """The device of a run as it is now."""
    device = job.compute.device
    runtime = CPU_RUNTIME_BYTES if device == "cpu" else CUDA_RUNTIME_BYTES
    return Machine(
        device, free_memory_bytes(device), job.compute.flops_per_s, runtime, memory.EFFICIENCY
    )


def setup_of(job: Job) -> Setup:
    """The choices of a run that decide what it takes."""
    lengths = [len(example.input_ids) for example in job.examples]
    fullest = max(sum(lengths[i] for i in step) for step in job.steps)
    return Setup(
        rank=job.lora.rank,
        dtype=job.compute.dtype,
        quantise=job.quantise,
        optimizer=job.optimisation.optimizer,
        gradient_checkpointing=job.gradient_checkpointing,
        tokens_at_once=max(min(job.max_tokens, fullest), max(lengths)),
        longest_tokens=max(lengths),
    )


def estimate(sizes: Sizes, setup: Setup, machine: Machine, job: Job) -> Needs:
    """Estimate what a run takes."""
    tokens = trained = 0
    for step in job.steps:
        examples = [job.examples[index] for index in step]
        tokens += sum(len(example.input_ids) for example in examples)
        trained += trained_tokens(examples)
    checkpoint = ADAM_BYTES["adamw"] * setup.rank * sizes.lora_per_rank
    return Needs(
        memory_parts(sizes, setup, machine.runtime_bytes),
        CHECKPOINT_COPIES * checkpoint,
        memory.seconds(sizes, setup, machine, tokens, trained),
    )


def shortages(
    sizes: Sizes, setup: Setup, machine: Machine, needs: Needs, run_dir: Path
) -> list[str]:
    """Say what a machine lacks for a run, each with what would help.

    Args:
        sizes: Of the base model and the adapter.
        setup: The choices of the run.
        machine: Where it would run.
        needs: What it takes.
        run_dir: Where checkpoints go; need not exist.
    """
    found = []
    if needs.memory_bytes > machine.memory_bytes:
        found.append(
            f"It needs about {gigabytes(needs.memory_bytes)} of memory, "
            f"{gigabytes(machine.memory_bytes)} are free. {what_fits(sizes, setup, machine)}"
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


def what_fits(sizes: Sizes, setup: Setup, machine: Machine) -> str:
    """Name the changes that would make a run fit."""
    remedies = memory.remedies(sizes, setup, machine)
    if not remedies:
        return "No change of settings makes it fit; choose a smaller base."
    numbered = "".join(f"\n  {number}. {line}" for number, line in enumerate(remedies, 1))
    return f"Any of these would fit, the one that costs least first:{numbered}\n"


def gigabytes(size_bytes: float) -> str:
    """Say a size as people do."""
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1e8 else f"{size_bytes / 1e6:.1f} MB"
