"""`config.json` of every base model that must work, as far as sizes go, and its known weights."""

import json
from pathlib import Path
from typing import Any


def gpt2(width: int, layers: int, heads: int) -> dict[str, Any]:
    return {
        "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": width,
        "n_layer": layers, "n_head": heads, "vocab_size": 50257, "n_positions": 1024,
    }  # fmt: skip


def starcoder(width: int, layers: int, heads: int, vocabulary: int) -> dict[str, Any]:
    return {
        "architectures": ["GPTBigCodeForCausalLM"], "model_type": "gpt_bigcode", "n_embd": width,
        "n_layer": layers, "n_head": heads, "n_inner": 4 * width, "multi_query": True,
        "vocab_size": vocabulary, "n_positions": 8192,
    }  # fmt: skip


def gated(kind: str, sizes: tuple[int, ...], **more: object) -> dict[str, Any]:
    """Sizes are width, inner width, layers, heads, key and value heads, vocabulary."""
    width, inner, layers, heads, key_value_heads, vocabulary = sizes
    return {
        "architectures": [f"{kind}ForCausalLM"], "model_type": kind.lower(), "hidden_size": width,
        "intermediate_size": inner, "num_hidden_layers": layers, "num_attention_heads": heads,
        "num_key_value_heads": key_value_heads, "vocab_size": vocabulary, **more,
    }  # fmt: skip


GEMMA = {"head_dim": 256, "tie_word_embeddings": True}
# By what a recipe calls them: the configuration, and how many weights the model is known to have.
SEEDS: dict[str, tuple[dict[str, Any], float]] = {
    "distilbert/distilgpt2": (gpt2(768, 6, 12), 82e6),
    "openai-community/gpt2": (gpt2(768, 12, 12), 124e6),
    "openai-community/gpt2-medium": (gpt2(1024, 24, 16), 355e6),
    "openai-community/gpt2-large": (gpt2(1280, 36, 20), 774e6),
    "openai-community/gpt2-xl": (gpt2(1600, 48, 25), 1.56e9),
    "bigcode/starcoder": (starcoder(6144, 40, 48, 49152), 15.5e9),
    "bigcode/starcoderbase-1b": (starcoder(2048, 24, 16, 49152), 1.14e9),
    "WizardLM/WizardCoder-1B-V1.0": (starcoder(2048, 24, 16, 49153), 1.14e9),
    "WizardLM/WizardCoder-3B-V1.0": (starcoder(2816, 36, 22, 49153), 3.0e9),
    "WizardLM/WizardCoder-Python-13B-V1.0": (
        gated("Llama", (5120, 13824, 40, 40, 40, 32001)),
        13.0e9,
    ),
    "WizardLM/WizardCoder-15B-V1.0": (starcoder(6144, 40, 48, 49153), 15.5e9),
    "mistralai/Mistral-7B-v0.1": (gated("Mistral", (4096, 14336, 32, 32, 8, 32000)), 7.24e9),
    "mistralai/Mistral-7B-Instruct-v0.2": (
        gated("Mistral", (4096, 14336, 32, 32, 8, 32000)),
        7.24e9,
    ),
    "tiiuae/falcon-7b": (
        {
            "architectures": ["FalconForCausalLM"], "model_type": "falcon", "hidden_size": 4544,
            "num_hidden_layers": 32, "num_attention_heads": 71, "multi_query": True,
            "new_decoder_architecture": False, "vocab_size": 65024,
        },
        6.92e9,
    ),
    "meta-llama/Meta-Llama-3-8B": (gated("Llama", (4096, 14336, 32, 32, 8, 128256)), 8.03e9),
    "codellama/CodeLlama-7b-Instruct-hf": (
        gated("Llama", (4096, 11008, 32, 32, 32, 32016)),
        6.74e9,
    ),
    "Qwen/Qwen1.5-1.8B": (gated("Qwen2", (2048, 5504, 24, 16, 16, 151936)), 1.84e9),
    "EleutherAI/pythia-2.8b": (
        {
            "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "hidden_size": 2560,
            "intermediate_size": 10240, "num_hidden_layers": 32, "num_attention_heads": 32,
            "vocab_size": 50304, "tie_word_embeddings": False,
        },
        2.78e9,
    ),
    "google/gemma-2b": (gated("Gemma", (2048, 16384, 18, 8, 1, 256000), **GEMMA), 2.51e9),
    "google/gemma-7b-it": (gated("Gemma", (3072, 24576, 28, 16, 16, 256000), **GEMMA), 8.54e9),
    "smollm2-135m-instruct": (
        gated("Llama", (576, 1536, 30, 9, 3, 49152), tie_word_embeddings=True),
        134.5e6,
    ),
    "google/gemma-3-270m": (gated("Gemma3", (640, 2048, 18, 4, 1, 262144), **GEMMA), 268e6),
}  # fmt: skip


def write_config(directory: Path, base: str) -> Path:
    """Write the configuration of a base model, and nothing else of it."""
    target = directory / base.replace("/", "--")
    target.mkdir(parents=True, exist_ok=True)
    (target / "config.json").write_text(json.dumps(SEEDS[base][0]), encoding="utf-8")
    return target
