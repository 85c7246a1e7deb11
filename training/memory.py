"""Whether a run fits a device and how long it takes there: on this machine or on paper.

What a run takes of memory is arithmetic of `basemodels.training_memory`; here is the device, the
time, and what would help where it does not fit.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from basemodels.sizes import Sizes
from basemodels.training_memory import CUDA_RUNTIME_BYTES, Setup, memory_parts


class Machine(NamedTuple):
    """What a device offers, measured or from its data sheet.

    Attributes:
        kind: "cpu" or "cuda".
        memory_bytes: Free for a run.
        flops_per_s: Of a product.
        runtime_bytes: Taken before any model is loaded.
        efficiency: Share of `flops_per_s` that a whole step reaches.
    """

    kind: str
    memory_bytes: int
    flops_per_s: float
    runtime_bytes: int
    efficiency: float


EFFICIENCY = 0.6
# The RTX 4090: 24 GiB and 165 TFLOP/s in bfloat16 (NVIDIA's Ada data sheet). The share is what
# torchtune's published 2413 tokens/s for Llama-3.1-8B in 4 bit come to.
ON_PAPER = {"4090": Machine("cuda", 24 << 30, 165e12, CUDA_RUNTIME_BYTES, 0.41)}


def seconds(sizes: Sizes, setup: Setup, machine: Machine, tokens: int, trained: int) -> float:
    """Estimate the time of a run.

    Forward and gradient of the input; frozen weights have no gradient of their own.

    Args:
        sizes: Of the base.
        setup: Its choices.
        machine: Where it runs.
        tokens: All that pass through the model.
        trained: Of them, those with a loss.
    """
    passes = 6 if setup.gradient_checkpointing else 4
    weights = sizes.linear + 2 * setup.rank * sizes.lora_per_rank
    operations = passes * tokens * weights + 4 * trained * sizes.embedding
    return operations / (machine.flops_per_s * machine.efficiency)


def needed_bytes(sizes: Sizes, setup: Setup, machine: Machine) -> int:
    """Estimate the memory of a run at its peak on a device, in bytes."""
    return sum(memory_parts(sizes, setup, machine.runtime_bytes).values())


def remedies(sizes: Sizes, setup: Setup, machine: Machine) -> list[str]:
    """Find up to three changes that would make a run fit, those that cost least first."""
    single = _changes(setup, machine)
    found: list[tuple[str, ...]] = []
    lines = []
    for count in range(1, len(single) + 1):
        for chosen in itertools.combinations(single, count):
            flags = tuple(name for name, _, _ in chosen)
            if any(set(earlier) <= set(flags) for earlier in found):
                continue
            changed = setup
            for _, _, apply in chosen:
                changed = apply(changed)
            if needed_bytes(sizes, changed, machine) <= machine.memory_bytes:
                found.append(flags)
                lines.append(f"{' '.join(flags)} ({'; '.join(cost for _, cost, _ in chosen)})")
            if len(lines) == 3:
                return lines
    return lines


_Apply = Callable[[Setup], Setup]


def _changes(setup: Setup, machine: Machine) -> list[tuple[str, str, _Apply]]:
    """What could be made smaller, by what it costs."""
    longest = setup.longest_tokens
    half = max(1, setup.rank // 2)
    offered: list[tuple[bool, str, str, _Apply]] = [
        (
            longest < setup.tokens_at_once,
            f"--max-tokens-per-batch {longest}",
            "same result, a little slower",
            lambda before: replace(before, tokens_at_once=longest),
        ),
        (
            not setup.gradient_checkpointing,
            "--gradient-checkpointing",
            "same result, a third slower",
            lambda before: replace(before, gradient_checkpointing=True),
        ),
        (
            machine.kind == "cuda" and setup.optimizer == "adamw",
            "--optimizer adamw_8bit",
            "coarser optimizer state",
            lambda before: replace(before, optimizer="adamw_8bit"),
        ),
        (
            setup.quantise is None,
            "--quantise 8bit",
            "trains on a rounded base",
            lambda before: replace(before, quantise="8bit"),
        ),
        (
            setup.quantise != "4bit",
            "--quantise 4bit",
            "trains on a coarsely rounded base",
            lambda before: replace(before, quantise="4bit"),
        ),
        (
            half < setup.rank,
            f"--rank {half}",
            "a smaller adapter",
            lambda before: replace(before, rank=half),
        ),
    ]
    return [(flag, cost, apply) for possible, flag, cost, apply in offered if possible]
