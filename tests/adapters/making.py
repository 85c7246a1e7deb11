"""Base models of every architecture and adapters for them, a few kilobytes each, without torch."""

import json
import shutil
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters import bases
from adapters.manifest import Draft, LoraFacts
from basemodels.modules import linear_shapes

GATED: dict[str, object] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 100,
}
GPT2: dict[str, object] = {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 100}
CONFIGS: dict[str, dict[str, object]] = {
    "LlamaForCausalLM": GATED,
    "MistralForCausalLM": {**GATED, "head_dim": 16},
    "Qwen2ForCausalLM": GATED,
    "GemmaForCausalLM": {**GATED, "head_dim": 16},
    "Gemma3ForCausalLM": {**GATED, "head_dim": 16},
    "GPT2LMHeadModel": GPT2,
    "GPTBigCodeForCausalLM": GPT2,
    "GPTNeoXForCausalLM": {**GATED, "num_key_value_heads": 4},
    "FalconForCausalLM": GATED,
}
# One attention projection that every architecture has under some name.
FIRST_TARGET: dict[str, str] = {
    "GPT2LMHeadModel": "c_attn",
    "GPTBigCodeForCausalLM": "c_attn",
    "GPTNeoXForCausalLM": "query_key_value",
    "FalconForCausalLM": "query_key_value",
}
Arrays = dict[str, NDArray[np.generic]]
DTYPES = {"float32": "F32", "float16": "F16", "uint16": "BF16", "float64": "F64", "int8": "I8"}


def make_base(directory: Path, architecture: str = "LlamaForCausalLM", **options: object) -> Path:
    """Write a base model's configuration and a tokenizer of a few tokens."""
    directory.mkdir(parents=True)
    config = {"architectures": [architecture], **CONFIGS[architecture], **options}
    (directory / "config.json").write_text(json.dumps(config))
    tokens = {token: number for number, token in enumerate(["<s>", "</s>", "a", "b"])}
    (directory / "tokenizer.json").write_text(json.dumps(tokenizer(tokens)))
    (directory / "model.safetensors").write_bytes(with_header(b"{}"))
    return directory


def tokenizer(tokens: dict[str, int]) -> dict[str, object]:
    return {"model": {"type": "BPE", "vocab": tokens, "merges": []}, "added_tokens": []}


@dataclass
class Adapter:
    """The parts of an adapter, to be altered before `write`."""

    base: Path
    config: dict[str, object]
    arrays: Arrays
    extra: dict[str, bytes] = field(default_factory=dict)

    def write(self, directory: Path) -> Path:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "adapter_config.json").write_text(json.dumps(self.config))
        (directory / "adapter_model.safetensors").write_bytes(safetensors(self.arrays))
        for name, content in self.extra.items():
            (directory / name).write_bytes(content)
        return directory

    def draft(self) -> Draft:
        targets = self.config["target_modules"]
        assert isinstance(targets, list)
        return Draft(
            base=bases.describe(str(self.base), self.base),
            lora=LoraFacts(
                rank=int(str(self.config["r"])),
                alpha=float(str(self.config["lora_alpha"])),
                targets=targets,
                rslora=bool(self.config["use_rslora"]),
            ),
            probes=["1 + 1"],
        )


def make_adapter(
    base: Path,
    *,
    rank: int = 4,
    targets: list[str] | None = None,
    dtype: str = "float32",
    ranks: dict[str, int] | None = None,
    seed: int = 0,
    rslora: bool = False,
) -> Adapter:
    """A good adapter with random weights, for every layer that `targets` names."""
    architecture = json.loads((base / "config.json").read_text())["architectures"][0]
    targets = targets or [FIRST_TARGET.get(architecture, "q_proj")]
    random = np.random.default_rng(seed)
    arrays: Arrays = {}
    for module, (fan_in, fan_out) in linear_shapes(base).items():
        if not any(module.endswith(f".{target}") for target in targets):
            continue
        own = next(
            (r for end, r in (ranks or {}).items() if f".{module}".endswith(f".{end}")), rank
        )
        for side, shape in (("A", (own, fan_in)), ("B", (fan_out, own))):
            values = random.normal(0, 0.02, shape).astype(np.float32)
            arrays[f"base_model.model.{module}.lora_{side}.weight"] = as_dtype(values, dtype)
    config: dict[str, object] = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": str(base),
        "r": rank,
        "lora_alpha": 8,
        "lora_dropout": 0.05,
        "target_modules": targets,
        "bias": "none",
        "use_rslora": rslora,
        "rank_pattern": dict(ranks or {}),
        "init_lora_weights": True,
        "modules_to_save": None,
        "inference_mode": True,
    }
    return Adapter(base, config, arrays)


def as_dtype(values: NDArray[np.float32], dtype: str) -> NDArray[np.generic]:
    if dtype == "bfloat16":
        return (values.view(np.uint32) >> 16).astype(np.uint16)
    return values.astype(dtype)


def safetensors(arrays: Arrays, metadata: dict[str, str] | None = None) -> bytes:
    """Our own writer, so that the reader is not checked against itself or one library alone."""
    header: dict[str, object] = {"__metadata__": metadata or {"format": "pt"}}
    position, body = 0, []
    for name, array in arrays.items():
        raw = array.tobytes()
        header[name] = {
            "dtype": DTYPES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [position, position + len(raw)],
        }
        position += len(raw)
        body.append(raw)
    return with_header(json.dumps(header).encode(), b"".join(body))


def with_header(header: bytes, body: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + body


def copy(source: Path, target: Path) -> Path:
    shutil.copytree(source, target, symlinks=True)
    return target
