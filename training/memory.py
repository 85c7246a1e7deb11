"""What a run takes of a device: memory part by part and computing time, from sizes alone.

No weights are read and torch is not needed, so it works for a device that is not here and for a
base of which there is only `config.json`. The formulas are in docs/training.md.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from safetensors import safe_open

from basemodels.modules import Config, linear_shapes, read_config

VALUE_BYTES = {"float32": 4, "bfloat16": 2}
# Of a linear weight: nf4 with double quantisation is 4.127 bits (QLoRA, arXiv 2305.14314).
QUANTISED_BYTES = {"4bit": 4.127 / 8, "8bit": 1.0}
# Adapter weight and gradient in float32, and the two moments of Adam.
ADAM_BYTES = {"adamw": 16, "paged_adamw": 16, "adamw_8bit": 10, "paged_adamw_8bit": 10}
# Values of logits that the loss has in memory at once, and the copies of them.
LOGIT_TILE_VALUES = 1 << 24
LOGIT_COPIES = 3


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


# Torch, transformers and TRL in memory, measured.
CPU_RUNTIME_BYTES = 900_000_000
CUDA_RUNTIME_BYTES = 800_000_000
EFFICIENCY = 0.6
# The RTX 4090: 24 GiB and 165 TFLOP/s in bfloat16 (NVIDIA's Ada data sheet). The share is what
# torchtune's published 2413 tokens/s for Llama-3.1-8B in 4 bit come to.
ON_PAPER = {"4090": Machine("cuda", 24 << 30, 165e12, CUDA_RUNTIME_BYTES, 0.41)}


class Sizes(NamedTuple):
    """A base model and the adapter on it, in numbers of values.

    Attributes:
        linear: Weights in linear layers of the decoder, which can be quantised.
        other: Embeddings, norms, output head.
        head: Of the output head alone.
        largest: Of the largest linear layer.
        adapter_per_rank: Adapter weights for a rank of 1.
        kept_per_token: What autograd keeps of all layers for a position.
        kept_layers: What it keeps with gradient checkpointing.
        vocabulary: Tokens there are.
    """

    linear: int
    other: int
    head: int
    largest: int
    adapter_per_rank: int
    kept_per_token: int
    kept_layers: int
    vocabulary: int


@dataclass(frozen=True)
class Setup:
    """The choices of a run that decide what it takes.

    Attributes:
        rank: Of the adapter.
        dtype: Of weights and activations.
        quantise: "4bit", "8bit" or `None`.
        optimizer: A key of `ADAM_BYTES`.
        gradient_checkpointing: Whether activations are computed twice.
        tokens_at_once: Tokens in memory at once.
        longest_tokens: Of the longest row.
    """

    rank: int
    dtype: str
    quantise: str | None
    optimizer: str
    gradient_checkpointing: bool
    tokens_at_once: int
    longest_tokens: int


# What autograd keeps of a decoder layer for a position, in multiples of its width and of its inner
# width; calibrated against measured peaks (docs/training.md).
KEPT_HIDDEN = 16
KEPT_INNER = 5
# Of that, by architecture, where it was measured; others count as a Llama.
KEPT_SHARE = {"gpt2": 1.57, "gpt_neox": 0.6}
# PEFT's own LoRA layers, which quantised layers keep, hold more for the backward pass.
KEPT_QUANTISED = 1.2


def measure(base_dir: Path) -> Sizes:
    """Read the sizes of a base model from its configuration, and from its weights if they are there.

    Raises:
        BaseModelError: The configuration cannot be read.
    """
    shapes = linear_shapes(base_dir)
    config = read_config(base_dir)
    hidden = _number(config, "hidden_size", "n_embd")
    vocabulary = _number(config, "vocab_size")
    layers = _number(config, "num_hidden_layers", "n_layer")
    linear = sum(inputs * outputs for inputs, outputs in shapes.values())
    stored = _stored_weights(base_dir)
    share = KEPT_SHARE.get(str(config.get("model_type")), 1.0)
    widest = max(max(shape) for shape in shapes.values())
    kept = round(share * (KEPT_HIDDEN * hidden + KEPT_INNER * widest))
    return Sizes(
        linear=linear,
        other=stored - linear if stored else _other_weights(config, hidden, vocabulary),
        head=hidden * vocabulary,
        largest=max(inputs * outputs for inputs, outputs in shapes.values()),
        adapter_per_rank=sum(inputs + outputs for inputs, outputs in shapes.values()),
        kept_per_token=layers * kept,
        kept_layers=layers * hidden + kept,
        vocabulary=vocabulary,
    )


def _number(config: Config, *names: str) -> int:
    return next(int(str(config[name])) for name in names if config.get(name) is not None)


# Whether the output head is the embedding, where config.json does not say.
_UNTIED = {"llama", "mistral", "qwen2", "gpt_neox"}


def _other_weights(config: Config, hidden: int, vocabulary: int) -> int:
    tied = config.get("tie_word_embeddings", config.get("model_type") not in _UNTIED)
    positions = _number(config, "n_positions") if config.get("n_positions") else 0
    return vocabulary * hidden * (1 if tied else 2) + positions * hidden


def _stored_weights(base_dir: Path) -> int:
    total = 0
    for path in base_dir.glob("*.safetensors"):
        with safe_open(path, framework="numpy") as file:
            total += sum(math.prod(file.get_slice(key).get_shape()) for key in file.keys())  # noqa: SIM118 - not a dict
    return total


def memory_parts(sizes: Sizes, setup: Setup, machine: Machine) -> dict[str, int]:
    """Estimate the memory of a run at its peak, in bytes, part by part."""
    value = VALUE_BYTES[setup.dtype]
    linear = QUANTISED_BYTES[setup.quantise] if setup.quantise else value
    kept = sizes.kept_layers if setup.gradient_checkpointing else sizes.kept_per_token
    more = KEPT_QUANTISED if setup.quantise else 1.0
    logits = min(LOGIT_TILE_VALUES, setup.tokens_at_once * sizes.vocabulary)
    return {
        "runtime": machine.runtime_bytes,
        "base": int(sizes.linear * linear + sizes.other * value),
        "unpacked layer": sizes.largest * value if setup.quantise else 0,
        "adapter and optimizer": setup.rank * sizes.adapter_per_rank * ADAM_BYTES[setup.optimizer],
        "activations": int(setup.tokens_at_once * kept * value * more),
        "output head": LOGIT_COPIES * logits * 4,
    }


def seconds(sizes: Sizes, setup: Setup, machine: Machine, tokens: int, trained: int) -> float:
    """Estimate the time of a run.

    Forward and gradient of the input; frozen weights have no gradient of their own.

    Args:
        sizes: Of base and adapter.
        setup: Its choices.
        machine: Where it runs.
        tokens: All that pass through the model.
        trained: Of them, those with a loss.
    """
    passes = 6 if setup.gradient_checkpointing else 4
    weights = sizes.linear + 2 * setup.rank * sizes.adapter_per_rank
    operations = passes * tokens * weights + 4 * trained * sizes.head
    return operations / (machine.flops_per_s * machine.efficiency)


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
            if sum(memory_parts(sizes, changed, machine).values()) <= machine.memory_bytes:
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
