"""The memory that training an adapter takes at its peak, part by part, from sizes alone.

The one place of this arithmetic: `basemodels.planning` asks before a base is chosen, training
before a run. The formulas and what they were measured against are in docs/training.md.
"""

from dataclasses import dataclass
from typing import NamedTuple

from basemodels.sizes import Sizes, WeightDtype, weight_bytes

# Torch, transformers and TRL in memory before any model is loaded, measured; on a card, its context.
CPU_RUNTIME_BYTES = 750_000_000
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


class _Kept(NamedTuple):
    """What autograd keeps of a decoder layer for a position, in multiples of widths.

    Counted by hooks on what the layers of each architecture save, with the attention and the LoRA
    layers that training uses (`tests/training/test_kept.py`).

    Attributes:
        hidden: Times the width between layers.
        keys: Times the keys and values together.
        widest: Times the widest linear layer.
    """

    hidden: float
    keys: float
    widest: float


_KEPT = {
    "float32": {
        "GPT2LMHeadModel": _Kept(11.5, 0, 5),
        "GPTBigCodeForCausalLM": _Kept(9.5, 0, 2),
        "FalconForCausalLM": _Kept(7.1, 0, 2),
        "GPTNeoXForCausalLM": _Kept(10.2, 0, 2),
        "Gemma3ForCausalLM": _Kept(12, 0, 4),
    },
    "bfloat16": {
        "GPT2LMHeadModel": _Kept(18, 0, 5),
        "GPTBigCodeForCausalLM": _Kept(12, 0, 2),
        "FalconForCausalLM": _Kept(11.1, 0, 2),
        "GPTNeoXForCausalLM": _Kept(12.1, 0, 2),
        "Gemma3ForCausalLM": _Kept(19, 0, 4),
    },
}
_KEPT_AS_LLAMA = {"float32": _Kept(7.2, 1, 4), "bfloat16": _Kept(11.3, 2, 4)}
# PEFT's own LoRA layers, which quantised layers keep, hold their inputs in float32 as well.
_KEPT_QUANTISED = {"float32": 1.0, "bfloat16": 1.5}
# Of a layer that is computed anew: gradients beside what it keeps.
_LAYER_AND_GRADIENTS = 1.3


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
    """Estimate the memory of a run at its peak, in bytes, part by part.

    Without gradient checkpointing the peak is the loss, when all layers are kept. With it, only the
    inputs of layers are, and the loss and the layer that is computed anew follow one another.
    """
    value = VALUE_BYTES[setup.dtype]
    stored = _QUANTISED[setup.quantise] if setup.quantise else _PLAIN[setup.dtype]
    logits = min(_LOGIT_TILE_VALUES, setup.tokens_at_once * sizes.vocabulary)
    head = _LOGIT_COPIES * logits * 4
    layer = _layer_bytes(sizes, setup)
    activations = sizes.layers * layer
    if setup.gradient_checkpointing:
        inputs = setup.tokens_at_once * sizes.layers * sizes.hidden * value
        activations = inputs + max(0, int(_LAYER_AND_GRADIENTS * layer) - head)
    return {
        "runtime": runtime_bytes,
        "base": weight_bytes(sizes, stored),
        "unpacked layer": sizes.largest * value if setup.quantise else 0,
        "adapter and optimizer": setup.rank * sizes.lora_per_rank * ADAM_BYTES[setup.optimizer],
        "activations": activations,
        "output head": head,
    }


def _layer_bytes(sizes: Sizes, setup: Setup) -> int:
    """What one layer keeps for the backward pass."""
    kept = _KEPT[setup.dtype].get(sizes.architecture, _KEPT_AS_LLAMA[setup.dtype])
    keys = sizes.kv_per_token / sizes.layers
    values = kept.hidden * sizes.hidden + kept.keys * keys + kept.widest * sizes.widest
    more = _KEPT_QUANTISED[setup.dtype] if setup.quantise else 1.0
    return int(setup.tokens_at_once * values * more * VALUE_BYTES[setup.dtype])
