"""Every byte that serving or training a base model takes, and whether a machine has it.

The parts are sums over `Sizes`; what is no sum is a named constant with its reason.
"""

from dataclasses import dataclass, replace
from typing import Literal

from basemodels.devices import GIB, Device
from basemodels.sizes import Sizes, WeightDtype, weight_bytes
from basemodels.training_memory import (
    CPU_RUNTIME_BYTES,
    CUDA_RUNTIME_BYTES,
    Setup,
    memory_parts,
)

Use = Literal["serve", "lora", "qlora"]

# The CUDA context, vLLM's captured graphs and its working memory; on a CPU its processes.
_ENGINE_BYTES = 2 * GIB
# Of the device's memory, what the service takes at most.
_SERVE_FRACTION = 0.9
# The same for training; the rest is lost to fragments.
_TRAIN_FRACTION = 0.95
# Python, torch and CUDA's libraries beside a GPU; weights pass through as mapped files.
_HOST_BYTES = 4 * GIB
_LEAST_CONTEXT_TOKENS = 512
_CHECKPOINTS_KEPT = 2


@dataclass(frozen=True)
class Wish:
    """What a plan is for.

    Attributes:
        adapters: Adapters in the engine at once.
        rank: Their rank.
        context_tokens: The longest prompt and answer served; None for the model's own.
        row_tokens: The longest row trained on.
        batch_rows: Rows computed at once in training.
    """

    adapters: int = 16
    rank: int = 16
    context_tokens: int | None = None
    row_tokens: int = 1024
    batch_rows: int = 1


@dataclass(frozen=True)
class Part:
    """One item of the bill, in bytes, with how it was worked out."""

    name: str
    size_bytes: int
    why: str


@dataclass(frozen=True)
class Plan:
    """What one use takes on one device.

    Attributes:
        parts: The bill; their sum is what is needed.
        limit_bytes: What the device has for it.
        ram_bytes: Main memory beside a GPU; 0 without one, where `parts` is the main memory.
        disk_bytes: Disk space.
        device: Where.
        notes: What follows: flags, how many tokens, and why it does not fit.
    """

    use: Use
    dtype: WeightDtype
    parts: tuple[Part, ...]
    limit_bytes: int
    ram_bytes: int
    disk_bytes: int
    device: Device
    notes: tuple[str, ...]

    @property
    def needed_bytes(self) -> int:
        """The sum of the parts."""
        return sum(part.size_bytes for part in self.parts)

    @property
    def fits(self) -> bool:
        """Whether the device has it."""
        return not self.lacking

    @property
    def lacking(self) -> tuple[str, ...]:
        """What the device has too little of, and by how much."""
        bills = (
            ("memory", self.needed_bytes, self.limit_bytes),
            ("main memory", self.ram_bytes, self.device.ram_bytes),
            ("disk", self.disk_bytes, self.device.disk_bytes),
        )
        return tuple(
            f"{(needed - limit) / 1e9:.1f} GB too little {what}"
            for what, needed, limit in bills
            if needed > limit
        )


def plan(sizes: Sizes, use: Use, device: Device, wish: Wish, *, quantised: bool = False) -> Plan:
    """Work out one use of a base model on a device; `quantised` serves from 8-bit weights."""
    dtype: WeightDtype = "bfloat16" if device.half_precision else "float32"
    if use == "serve":
        return _serving(sizes, device, wish, "fp8" if quantised else dtype)
    return _training(sizes, device, wish, "nf4" if use == "qlora" else dtype)


def best_serving(sizes: Sizes, device: Device, wish: Wish) -> Plan:
    """Plan serving in 16 bit, and from 8-bit weights where only those fit."""
    plain = plan(sizes, "serve", device, wish)
    if plain.fits or not device.half_precision:
        return plain
    quantised = plan(sizes, "serve", device, wish, quantised=True)
    return quantised if quantised.fits else plain


def _serving(sizes: Sizes, device: Device, wish: Wish, dtype: WeightDtype) -> Plan:
    value_bytes = 2 if device.half_precision else 4
    context = min(wish.context_tokens or sizes.context_tokens, sizes.context_tokens)
    token_bytes = sizes.kv_per_token * value_bytes
    adapter_bytes = sizes.lora_per_rank * wish.rank * value_bytes
    fixed = (
        Part("weights", weight_bytes(sizes, dtype), f"{sizes.parameters:,} weights in {dtype}"),
        Part(
            "adapters",
            adapter_bytes * wish.adapters,
            f"{wish.adapters} of rank {wish.rank}: {sizes.lora_per_rank:,} values a rank",
        ),
        Part("engine", _ENGINE_BYTES, "processes, graphs and working memory, an allowance"),
    )
    limit_bytes = int(device.model_bytes * _SERVE_FRACTION)
    room_bytes = limit_bytes - sum(part.size_bytes for part in fixed)
    held_tokens = max(0, room_bytes) // token_bytes
    served = min(context, held_tokens)
    notes = []
    if served < min(context, _LEAST_CONTEXT_TOKENS):
        served = min(context, _LEAST_CONTEXT_TOKENS)
        notes.append(f"no room for a KV cache of even {served} tokens")
    elif served < context:
        notes.append(f"the context must be cut to {served:,} tokens: --max-context-tokens {served}")
    else:
        notes.append(
            f"{held_tokens:,} tokens fit in the KV cache: {held_tokens // context} requests of "
            f"{context:,} tokens at once"
        )
    notes.append(f"--max-docked-versions {wish.adapters} --max-lora-rank {wish.rank}")
    if dtype == "fp8":
        notes.append("from 8-bit weights (FP8, made as they are loaded): --quantise fp8")
    cache = Part(
        "KV cache", served * token_bytes, f"one request of {served:,} tokens, {token_bytes:,} each"
    )
    disk_bytes = 2 * sizes.parameters + adapter_bytes * wish.adapters
    ram_bytes = _HOST_BYTES + adapter_bytes * wish.adapters if device.gpu_bytes else 0
    parts = (*fixed, cache)
    return Plan("serve", dtype, parts, limit_bytes, ram_bytes, disk_bytes, device, tuple(notes))


def _training(sizes: Sizes, device: Device, wish: Wish, dtype: WeightDtype) -> Plan:
    row_tokens = min(wish.row_tokens, sizes.context_tokens)
    adapter = sizes.lora_per_rank * wish.rank
    setup = Setup(
        rank=wish.rank,
        dtype="bfloat16" if device.half_precision else "float32",
        quantise="4bit" if dtype == "nf4" else None,
        optimizer="adamw",
        gradient_checkpointing=False,
        tokens_at_once=row_tokens * wish.batch_rows,
        longest_tokens=row_tokens,
    )
    limit_bytes = int(device.model_bytes * _TRAIN_FRACTION)
    runtime_bytes = CUDA_RUNTIME_BYTES if device.gpu_bytes else CPU_RUNTIME_BYTES
    notes = [f"rows of up to {row_tokens:,} tokens, {wish.batch_rows} at once"]
    parts = memory_parts(sizes, setup, runtime_bytes)
    if sum(parts.values()) > limit_bytes:
        setup = replace(setup, gradient_checkpointing=True)
        parts = memory_parts(sizes, setup, runtime_bytes)
        notes.append("needs gradient checkpointing")
    why = {
        "runtime": "torch and its caches, measured",
        "base": f"{sizes.parameters:,} weights in {dtype}",
        "unpacked layer": "the largest layer while it is computed",
        "adapter and optimizer": f"{adapter:,} weights of rank {wish.rank}, with AdamW's moments",
        "activations": f"{sizes.layers} layers, {setup.tokens_at_once:,} tokens at once"
        + (", recomputed in the backward pass" if setup.gradient_checkpointing else ""),
        "output head": "one tile of the logits with its gradient",
    }
    return Plan(
        "qlora" if dtype == "nf4" else "lora",
        dtype,
        tuple(Part(name, size, why[name]) for name, size in parts.items() if size),
        limit_bytes,
        _HOST_BYTES if device.gpu_bytes else 0,
        2 * sizes.parameters + _CHECKPOINTS_KEPT * 12 * adapter,
        device,
        tuple(notes),
    )
