"""How many numbers a base model consists of, by its `config.json` alone: no weights are read."""

import re
from dataclasses import dataclass
from typing import Literal

from basemodels.modules import Config, shapes_of

WeightDtype = Literal["float32", "bfloat16", "fp8", "int8", "nf4"]
# FP8 and int8 keep a scale for each row, NF4 with double quantisation 0.127 bits for its scales
# (Dettmers et al. 2023, section 3).
_BITS: dict[WeightDtype, float] = {
    "float32": 32,
    "bfloat16": 16,
    "fp8": 8.02,
    "int8": 8.02,
    "nf4": 4.127,
}

_NORM_KINDS = {"GemmaForCausalLM": 2, "Gemma3ForCausalLM": 4}
_TIED_BY_DEFAULT = frozenset(
    [
        "FalconForCausalLM",
        "GPT2LMHeadModel",
        "GPTBigCodeForCausalLM",
        "Gemma3ForCausalLM",
        "GemmaForCausalLM",
    ]
)
_LEARNED_POSITIONS = frozenset(["GPT2LMHeadModel", "GPTBigCodeForCausalLM"])
_BIASED = frozenset(["GPT2LMHeadModel", "GPTBigCodeForCausalLM", "GPTNeoXForCausalLM"])


@dataclass(frozen=True)
class Sizes:
    """A base model in numbers of values.

    Attributes:
        architecture: The class that transformers has for it.
        layers: Decoder layers.
        hidden: Width between them.
        widest: Width of the widest linear layer.
        largest: Weights of the largest linear layer.
        vocabulary: Tokens.
        context_tokens: The longest prompt and answer it was made for.
        linear: Weights of the linear layers that LoRA can target; what quantisation shrinks.
        embedding: Weights of the token embedding.
        head: Weights of the output head, 0 where it is the embedding.
        other: Biases, norms and learned positions.
        kv_per_token: Values the KV cache holds for one token.
        lora_per_rank: Values an adapter on every linear layer has for each rank.
    """

    architecture: str
    layers: int
    hidden: int
    widest: int
    largest: int
    vocabulary: int
    context_tokens: int
    linear: int
    embedding: int
    head: int
    other: int
    kv_per_token: int
    lora_per_rank: int

    @property
    def parameters(self) -> int:
        """All weights."""
        return self.linear + self.embedding + self.head + self.other


def weight_bytes(sizes: Sizes, dtype: WeightDtype) -> int:
    """Return the bytes of all weights; quantisation leaves embeddings, head and norms in 16 bit."""
    if dtype in ("float32", "bfloat16"):
        return int(sizes.parameters * _BITS[dtype] / 8)
    return int(sizes.linear * _BITS[dtype] / 8) + 2 * (sizes.parameters - sizes.linear)


def sizes_of(config: Config) -> Sizes:
    """Add up the weights of a base model.

    Raises:
        BaseModelError: The configuration is incomplete, or its architecture is not known.
    """
    shapes = shapes_of(config)
    architecture = _architecture(config)
    hidden = _first(config, ("hidden_size", "n_embd"))
    vocabulary = _first(config, ("vocab_size",))
    layers = len({match[0] for path in shapes if (match := re.search(r"\.\d+\.", path))})
    tied = config.get("tie_word_embeddings", architecture in _TIED_BY_DEFAULT)
    context = _first(config, ("max_position_embeddings", "n_positions", "seq_length"), 2048)
    return Sizes(
        architecture=architecture,
        layers=layers,
        hidden=hidden,
        widest=max(max(shape) for shape in shapes.values()),
        largest=max(inputs * outputs for inputs, outputs in shapes.values()),
        vocabulary=vocabulary,
        context_tokens=context,
        linear=sum(inputs * outputs for inputs, outputs in shapes.values()),
        embedding=hidden * vocabulary,
        head=0 if tied else hidden * vocabulary,
        other=_norms(config, architecture, layers, hidden)
        + _biases(config, architecture, shapes)
        + (context * hidden if architecture in _LEARNED_POSITIONS else 0),
        kv_per_token=2 * layers * _kv_heads(config) * _head_dim(config, hidden),
        lora_per_rank=sum(inputs + outputs for inputs, outputs in shapes.values()),
    )


def _norms(config: Config, architecture: str, layers: int, hidden: int) -> int:
    """Weights of the norms; LayerNorm has a bias too, RMSNorm has not."""
    if architecture == "FalconForCausalLM":
        each = 2 if config.get("new_decoder_architecture") else 1
        return (layers * each + 1) * 2 * hidden
    if architecture in _BIASED:
        return (layers * 2 + 1) * 2 * hidden
    heads = 2 * _head_dim(config, hidden) if architecture == "Gemma3ForCausalLM" else 0
    return layers * (_NORM_KINDS.get(architecture, 2) * hidden + heads) + hidden


def _biases(config: Config, architecture: str, shapes: dict[str, tuple[int, int]]) -> int:
    biased: tuple[str, ...] = ()
    if architecture in _BIASED or config.get("bias"):
        pass
    elif architecture == "Qwen2ForCausalLM":
        biased = ("q_proj", "k_proj", "v_proj")
    elif config.get("attention_bias"):
        biased = ("q_proj", "k_proj", "v_proj", "o_proj")
    else:
        return 0
    return sum(
        outputs for path, (_, outputs) in shapes.items() if not biased or path.endswith(biased)
    )


def _kv_heads(config: Config) -> int:
    # Falcon's and StarCoder's word for one key and value head shared by all.
    if config.get("multi_query") is True and not config.get("new_decoder_architecture"):
        return 1
    return _first(config, ("num_key_value_heads", "num_kv_heads", "num_attention_heads", "n_head"))


def _head_dim(config: Config, hidden: int) -> int:
    return _first(
        config, ("head_dim",), hidden // _first(config, ("num_attention_heads", "n_head"))
    )


def _architecture(config: Config) -> str:
    names = config.get("architectures")
    return str(names[0]) if isinstance(names, list) and names else ""


def _first(config: Config, keys: tuple[str, ...], default: int = 1) -> int:
    found = (config.get(key) for key in keys)
    return next((value for value in found if isinstance(value, int) and value > 0), default)
