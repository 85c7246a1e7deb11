"""A real store with real adapters on a base of a few kilobytes, made with numpy alone."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from adapters.store import Store
from benchmarks._random_adapters import publish as publish

BASE = "tiny-base"
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "num_hidden_layers": 2,
    "vocab_size": 32,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": True,
}


def make_base(root: Path) -> Path:
    """A directory with everything that is looked for in a base; nobody loads its weights."""
    base = root / BASE
    base.mkdir()
    (base / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    save_file({"unused": np.zeros(1, np.float32)}, base / "model.safetensors")
    tokenizer = {"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk": "a"}}
    (base / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    return base


def make_store(root: Path, *, probes: Sequence[str] = ("Say something.",)) -> tuple[Store, Path]:
    """A store whose adapter alpha has the versions 1 and 2, stable at 1, and its base."""
    base = make_base(root)
    store = Store(root / "store")
    for seed in (1, 2):
        publish(store, "alpha", base, root, seed=seed, probes=probes)
    store.set_alias("alpha", "stable", 1, expected=None, who="test", why="start")
    return store, base
