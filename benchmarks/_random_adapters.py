"""Adapters with random weights for any base, made with numpy alone: what they say does not matter."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from adapters.bases import describe
from adapters.manifest import Draft, LoraFacts
from adapters.store import Store, Version
from basemodels.modules import linear_shapes

FEW = ("q_proj", "v_proj")
RANK = 2


def write(
    directory: Path, base: Path, *, seed: int, rank: int = RANK, targets: Sequence[str] | None = FEW
) -> Path:
    """Write a PEFT directory whose B is not zero.

    Args:
        directory: A new one.
        base: Directory of the base model.
        seed: Of the weights.
        rank: Of every pair.
        targets: Last names of layers; None: every linear layer that the base has.
    """
    directory.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    shapes = linear_shapes(base)
    chosen = sorted(targets or {module.rpartition(".")[2] for module in shapes})
    tensors: dict[str, np.ndarray] = {}
    for module, (inputs, outputs) in shapes.items():
        if module.rpartition(".")[2] in chosen:
            for part, shape in (("lora_A", (rank, inputs)), ("lora_B", (outputs, rank))):
                values = generator.normal(0, 0.05, shape).astype(np.float32)
                tensors[f"base_model.model.{module}.{part}.weight"] = values
    save_file(tensors, directory / "adapter_model.safetensors", metadata={"format": "pt"})
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": rank,
        "lora_alpha": 2 * rank,
        "target_modules": chosen,
        "bias": "none",
        "base_model_name_or_path": base.name,
    }
    (directory / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    return directory


def publish(
    store: Store,
    name: str,
    base: Path,
    scratch: Path,
    *,
    seed: int = 0,
    probes: Sequence[str] = ("Say something.",),
) -> Version:
    """Publish one more version of an adapter on a few layers.

    Args:
        store: Where to.
        name: The adapter's.
        base: Directory of the base model.
        scratch: Where its files may be made.
        seed: Of the weights; another for each version.
        probes: What the service asks before it lets the version answer.
    """
    source = write(scratch / f"{name}-{seed}", base, seed=seed)
    draft = Draft(
        base=describe(base.name, base),
        lora=LoraFacts(rank=RANK, alpha=2.0 * RANK, targets=list(FEW)),
        probes=list(probes),
    )
    return store.publish(name, source, draft, base_dir=base)


def make_store(root: Path, base: Path, versions: int) -> Store:
    """A new store whose adapter alpha has so many versions, the first one stable."""
    store = Store(root)
    for seed in range(1, versions + 1):
        publish(store, "alpha", base, root.parent / f"{root.name}-files", seed=seed)
    store.set_alias("alpha", "stable", 1, expected=None, who="benchmark", why="start")
    return store
