"""Linear layers of a base model and their sizes, read from its `config.json` alone.

This is what an adapter's tensors are checked against, so it must not need torch and must
not guess: an architecture that is not in `FAMILIES` is refused.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from basemodels.errors import BaseModelError

Config = Mapping[str, object]
Shapes = dict[str, tuple[int, int]]


def linear_shapes(base_dir: Path) -> Shapes:
    """Map the full path of every linear layer LoRA can target to `(in_features, out_features)`.

    Paths are those of the Hugging Face module tree (`model.layers.0.self_attn.q_proj`). The
    output head and the embeddings are not listed: they are not servable on every engine.

    Raises:
        BaseModelError: `config.json` is missing, unreadable, incomplete or of an architecture
            that is not known here.
    """
    return shapes_of(read_config(base_dir), str(base_dir))


def shapes_of(config: Config, whose: str = "config.json") -> Shapes:
    """Do what `linear_shapes` does, for a configuration that was read already.

    Args:
        config: The configuration.
        whose: Names it in messages.

    Raises:
        BaseModelError: It is incomplete or of an architecture that is not known here.
    """
    architectures = config.get("architectures")
    name = architectures[0] if isinstance(architectures, list) and architectures else None
    family = FAMILIES.get(str(name))
    if family is None:
        raise BaseModelError(
            f"The architecture of {whose} is {name!r}, which LoRA cannot be checked against. "
            f"Known are {', '.join(sorted(FAMILIES))}. Choose a base of one of these."
        )
    layer_prefix, layer_count_key, layer_shapes = family
    shapes = layer_shapes(config)
    return {
        f"{layer_prefix}.{layer}.{module}": shape
        for layer in range(_whole(config, layer_count_key))
        for module, shape in shapes.items()
    }


def read_config(base_dir: Path) -> Config:
    """Read the `config.json` of a base model directory.

    Raises:
        BaseModelError: The file is missing or is not a JSON object.
    """
    path = base_dir / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BaseModelError(
            f"Cannot read the base model's {path} ({error}). Expected a Hugging Face model "
            "directory. Give its path, or fetch one with `python -m basemodels fetch`."
        ) from error
    if not isinstance(config, dict):
        raise BaseModelError(
            f"{path} holds a JSON {type(config).__name__}, expected an object. "
            "Replace it with the file that came with the model."
        )
    return config


def _whole(config: Config, key: str, default: int | None = None) -> int:
    """Read a positive whole number from the configuration."""
    value = config.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise BaseModelError(
            f"config.json has {key}={value!r}, expected a positive whole number. "
            "Replace config.json with the file that came with the model."
        )
    return value


def _gated(config: Config) -> Shapes:
    """Llama, Mistral, Qwen2, Gemma: grouped-query attention and a gated feed-forward block."""
    hidden, inner = _whole(config, "hidden_size"), _whole(config, "intermediate_size")
    heads = _whole(config, "num_attention_heads")
    key_value_heads = _whole(config, "num_key_value_heads", default=heads)
    head_dim = _whole(config, "head_dim", default=max(1, hidden // heads))
    return {
        "self_attn.q_proj": (hidden, heads * head_dim),
        "self_attn.k_proj": (hidden, key_value_heads * head_dim),
        "self_attn.v_proj": (hidden, key_value_heads * head_dim),
        "self_attn.o_proj": (heads * head_dim, hidden),
        "mlp.gate_proj": (hidden, inner),
        "mlp.up_proj": (hidden, inner),
        "mlp.down_proj": (inner, hidden),
    }


def _gpt2(config: Config) -> Shapes:
    """GPT-2: one fused projection for query, key and value."""
    hidden = _whole(config, "n_embd")
    return _gpt2_block(hidden, 3 * hidden, _whole(config, "n_inner", default=4 * hidden))


def _gpt_bigcode(config: Config) -> Shapes:
    """StarCoder: as GPT-2, but multi-query attention shares one key and value head."""
    hidden = _whole(config, "n_embd")
    head_dim = hidden // _whole(config, "n_head")
    shared = config.get("multi_query", True)
    fused = hidden + 2 * head_dim if shared else 3 * hidden
    return _gpt2_block(hidden, fused, _whole(config, "n_inner", default=4 * hidden))


def _gpt2_block(hidden: int, fused: int, inner: int) -> Shapes:
    return {
        "attn.c_attn": (hidden, fused),
        "attn.c_proj": (hidden, hidden),
        "mlp.c_fc": (hidden, inner),
        "mlp.c_proj": (inner, hidden),
    }


def _gpt_neox(config: Config) -> Shapes:
    """Pythia: query, key and value fused head by head."""
    hidden, inner = _whole(config, "hidden_size"), _whole(config, "intermediate_size")
    return {
        "attention.query_key_value": (hidden, 3 * hidden),
        "attention.dense": (hidden, hidden),
        "mlp.dense_h_to_4h": (hidden, inner),
        "mlp.dense_4h_to_h": (inner, hidden),
    }


def _falcon(config: Config) -> Shapes:
    """Falcon: grouped (40B), multi-query (7B) or plain attention, fused."""
    hidden, heads = _whole(config, "hidden_size"), _whole(config, "num_attention_heads")
    head_dim = hidden // heads
    if config.get("new_decoder_architecture", False):
        fused = (heads + 2 * _whole(config, "num_kv_heads", default=heads)) * head_dim
    elif config.get("multi_query", True):
        fused = hidden + 2 * head_dim
    else:
        fused = 3 * hidden
    inner = _whole(config, "ffn_hidden_size", default=4 * hidden)
    return {
        "self_attention.query_key_value": (hidden, fused),
        "self_attention.dense": (hidden, hidden),
        "mlp.dense_h_to_4h": (hidden, inner),
        "mlp.dense_4h_to_h": (inner, hidden),
    }


_DECODER = ("model.layers", "num_hidden_layers", _gated)

FAMILIES: dict[str, tuple[str, str, Callable[[Config], Shapes]]] = {
    "FalconForCausalLM": ("transformer.h", "num_hidden_layers", _falcon),
    "GPT2LMHeadModel": ("transformer.h", "n_layer", _gpt2),
    "GPTBigCodeForCausalLM": ("transformer.h", "n_layer", _gpt_bigcode),
    "GPTNeoXForCausalLM": ("gpt_neox.layers", "num_hidden_layers", _gpt_neox),
    "Gemma3ForCausalLM": _DECODER,
    "GemmaForCausalLM": _DECODER,
    "LlamaForCausalLM": _DECODER,
    "MistralForCausalLM": _DECODER,
    "Qwen2ForCausalLM": _DECODER,
}
