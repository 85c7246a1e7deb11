"""Every byte that serving or training a base model takes, and whether a machine has it.

The parts are sums over `Sizes`; what is no sum is a named constant with its reason.
"""

from dataclasses import dataclass
from typing import Literal

from basemodels.devices import GIB, Device
from basemodels.sizes import Sizes

Use = Literal["serve", "lora", "qlora"]
WeightDtype = Literal["float32", "bfloat16", "int8", "nf4"]

# NF4 with double quantisation: 4 bits, and 0.127 for the scales (Dettmers et al. 2023, section 3).
_BITS: dict[WeightDtype, float] = {"float32": 32, "bfloat16": 16, "int8": 8.02, "nf4": 4.127}

# The CUDA context, vLLM's captured graphs and its working memory; on a CPU its processes.
_ENGINE_BYTES = 2 * GIB
# Of the device's memory, what the service takes at most.
_SERVE_FRACTION = 0.9
# The same for training; the rest is lost to fragments.
_TRAIN_FRACTION = 0.95
# Python, torch and CUDA's libraries beside a GPU; weights pass through as mapped files.
_HOST_BYTES = 4 * GIB
# Torch, transformers and their caches before any model is loaded, measured.
_TRAINER_BYTES = 800_000_000
# Weight, gradient and AdamW's two moments in float32, and a working copy.
_TRAINED_WEIGHT_BYTES = 16
# What autograd keeps of a decoder layer for a position, in multiples of its widths.
_KEPT_HIDDEN = 16
_KEPT_INNER = 5
# The largest piece of logits that exists at once: values and their gradients in float32.
_LOGIT_TILE_BYTES = 3 * (1 << 24) * 4
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


def weight_bytes(sizes: Sizes, dtype: WeightDtype) -> int:
    """Return the bytes of all weights; quantisation leaves embeddings, head and norms in 16 bit."""
    if dtype in ("float32", "bfloat16"):
        return int(sizes.parameters * _BITS[dtype] / 8)
    return int(sizes.linear * _BITS[dtype] / 8) + 2 * (sizes.parameters - sizes.linear)


def plan(sizes: Sizes, use: Use, device: Device, wish: Wish, *, quantised: bool = False) -> Plan:
    """Work out one use of a base model on a device; `quantised` serves from 4-bit weights."""
    dtype: WeightDtype = "bfloat16" if device.half_precision else "float32"
    if use == "serve":
        return _serving(sizes, device, wish, "nf4" if quantised else dtype)
    return _training(sizes, device, wish, "nf4" if use == "qlora" else dtype)


def best_serving(sizes: Sizes, device: Device, wish: Wish) -> Plan:
    """Plan serving in 16 bit, and from 4-bit weights where only those fit."""
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
        notes.append(f"the context must be cut to {served:,} tokens: --context-tokens {served}")
    else:
        notes.append(
            f"{held_tokens:,} tokens fit in the KV cache: {held_tokens // context} requests of "
            f"{context:,} tokens at once"
        )
    notes.append(f"--max-docked {wish.adapters} --max-rank {wish.rank}")
    if dtype == "nf4":
        notes.append("from 4-bit weights (bitsandbytes)")
    cache = Part(
        "KV cache", served * token_bytes, f"one request of {served:,} tokens, {token_bytes:,} each"
    )
    disk_bytes = 2 * sizes.parameters + adapter_bytes * wish.adapters
    ram_bytes = _HOST_BYTES + adapter_bytes * wish.adapters if device.gpu_bytes else 0
    parts = (*fixed, cache)
    return Plan("serve", dtype, parts, limit_bytes, ram_bytes, disk_bytes, device, tuple(notes))


def _training(sizes: Sizes, device: Device, wish: Wish, dtype: WeightDtype) -> Plan:
    value_bytes = 2 if device.half_precision else 4
    row_tokens = min(wish.row_tokens, sizes.context_tokens)
    tokens = row_tokens * wish.batch_rows
    adapter = sizes.lora_per_rank * wish.rank
    layer_values = _KEPT_HIDDEN * sizes.hidden + _KEPT_INNER * sizes.widest
    fixed = (
        Part("weights", weight_bytes(sizes, dtype), f"{sizes.parameters:,} weights in {dtype}"),
        Part(
            "adapter and optimiser",
            adapter * _TRAINED_WEIGHT_BYTES,
            f"{adapter:,} weights of rank {wish.rank}, {_TRAINED_WEIGHT_BYTES} bytes each",
        ),
        Part("logits", _LOGIT_TILE_BYTES, "one tile of the output head with its gradient"),
        Part("trainer", _TRAINER_BYTES, "torch and its caches, measured"),
    )
    kept = Part(
        "activations",
        sizes.layers * layer_values * tokens * value_bytes,
        f"{sizes.layers} layers, {tokens:,} tokens at once",
    )
    recomputed = Part(
        "activations",
        (sizes.layers * sizes.hidden + layer_values) * tokens * value_bytes,
        f"{tokens:,} tokens at once, layers recomputed in the backward pass",
    )
    limit_bytes = int(device.model_bytes * _TRAIN_FRACTION)
    fits_kept = sum(part.size_bytes for part in (*fixed, kept)) <= limit_bytes
    notes = [f"rows of up to {row_tokens:,} tokens, {wish.batch_rows} at once"]
    if not fits_kept:
        notes.append("needs gradient checkpointing")
    disk_bytes = 2 * sizes.parameters + _CHECKPOINTS_KEPT * 12 * adapter
    use: Use = "qlora" if dtype == "nf4" else "lora"
    parts = (*fixed, kept if fits_kept else recomputed)
    ram_bytes = _HOST_BYTES if device.gpu_bytes else 0
    return Plan(use, dtype, parts, limit_bytes, ram_bytes, disk_bytes, device, tuple(notes))
