"""A real store with real adapters on a base of a few kilobytes, made with numpy alone."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from adapters.bases import describe
from adapters.manifest import Draft, LoraFacts
from adapters.store import Store, Version
from basemodels.modules import linear_shapes

BASE = "tiny-base"
TARGETS = ["q_proj", "v_proj"]
RANK = 2
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


def publish(
    store: Store,
    name: str,
    base: Path,
    scratch: Path,
    *,
    seed: int = 0,
    probes: Sequence[str] = ("Say something.",),
) -> Version:
    """Publish one more version of an adapter with random weights."""
    source = scratch / f"{name}-{seed}"
    source.mkdir()
    generator = np.random.default_rng(seed)
    tensors: dict[str, np.ndarray] = {}
    for module, (inputs, outputs) in linear_shapes(base).items():
        if module.rpartition(".")[2] in TARGETS:
            for part, shape in (("lora_A", (RANK, inputs)), ("lora_B", (outputs, RANK))):
                values = generator.normal(0, 0.05, shape).astype(np.float32)
                tensors[f"base_model.model.{module}.{part}.weight"] = values
    save_file(tensors, source / "adapter_model.safetensors", metadata={"format": "pt"})
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": RANK,
        "lora_alpha": 4,
        "target_modules": TARGETS,
        "bias": "none",
        "base_model_name_or_path": base.name,
    }
    (source / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    draft = Draft(
        base=describe(base.name, base),
        lora=LoraFacts(rank=RANK, alpha=4.0, targets=TARGETS),
        probes=list(probes),
    )
    return store.publish(name, source, draft, base_dir=base)


def make_store(root: Path, *, probes: Sequence[str] = ("Say something.",)) -> tuple[Store, Path]:
    """A store whose adapter alpha has the versions 1 and 2, stable at 1, and its base."""
    base = make_base(root)
    store = Store(root / "store")
    for seed in (1, 2):
        publish(store, "alpha", base, root, seed=seed, probes=probes)
    store.set_alias("alpha", "stable", 1, expected=None, who="test", why="start")
    return store, base
