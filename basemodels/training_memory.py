"""The memory that training an adapter takes at its peak, part by part, from sizes alone.

The one place of this arithmetic: `basemodels.planning` asks before a base is chosen, training
before a run. The formulas and what they were measured against are in docs/training.md.
"""

from dataclasses import dataclass

from basemodels.sizes import Sizes, WeightDtype, weight_bytes

# Torch, transformers and TRL in memory before any model is loaded, measured; on a card, its context.
CPU_RUNTIME_BYTES = 900_000_000
CUDA_RUNTIME_BYTES = 800_000_000
VALUE_BYTES = {"float32": 4, "bfloat16": 2}
# Adapter weight and gradient in float32, and the two moments of Adam.
ADAM_BYTES: dict[str, int] = {
    "adamw": 16, "paged_adamw": 16, "adamw_8bit": 10, "paged_adamw_8bit": 10
}  # fmt: skip
_QUANTISED: dict[str, WeightDtype] = {"4bit": "nf4", "8bit": "int8"}
_PLAIN: dict[str, WeightDtype] = {"float32": "float32", "bfloat16": "bfloat16"}

# Values of logits that the loss has in memory at once, and the copies of them.
_LOGIT_TILE_VALUES = 1 << 24
_LOGIT_COPIES = 3
# What autograd keeps of a decoder layer for a position, in multiples of its width and of its
# widest linear layer; calibrated against measured peaks.
_KEPT_HIDDEN = 16
_KEPT_WIDEST = 5
# Of that, by architecture, where it was measured; others count as a Llama.
_KEPT_SHARE = {"GPT2LMHeadModel": 1.57, "GPTNeoXForCausalLM": 0.6}
# PEFT's own LoRA layers, which quantised layers keep, hold more for the backward pass.
_KEPT_QUANTISED = 1.2


@dataclass(frozen=True)
class Setup:
    """The choices of a run that decide what it takes.

    Attributes:
        rank: Of the adapter.
        dtype: Of weights and activations, "float32" or "bfloat16".
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


def memory_parts(sizes: Sizes, setup: Setup, runtime_bytes: int) -> dict[str, int]:
    """Estimate the memory of a run at its peak, in bytes, part by part."""
    value = VALUE_BYTES[setup.dtype]
    stored = _QUANTISED[setup.quantise] if setup.quantise else _PLAIN[setup.dtype]
    logits = min(_LOGIT_TILE_VALUES, setup.tokens_at_once * sizes.vocabulary)
    return {
        "runtime": runtime_bytes,
        "base": weight_bytes(sizes, stored),
        "unpacked layer": sizes.largest * value if setup.quantise else 0,
        "adapter and optimizer": setup.rank * sizes.lora_per_rank * ADAM_BYTES[setup.optimizer],
        "activations": _activation_bytes(sizes, setup),
        "output head": _LOGIT_COPIES * logits * 4,
    }


def _activation_bytes(sizes: Sizes, setup: Setup) -> int:
    share = _KEPT_SHARE.get(sizes.architecture, 1.0)
    layer = share * (_KEPT_HIDDEN * sizes.hidden + _KEPT_WIDEST * sizes.widest)
    if setup.gradient_checkpointing:
        kept = sizes.layers * sizes.hidden + layer
    else:
        kept = sizes.layers * layer
    more = _KEPT_QUANTISED if setup.quantise else 1.0
    return int(setup.tokens_at_once * kept * VALUE_BYTES[setup.dtype] * more)
