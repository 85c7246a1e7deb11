"""The memory that the verdict names is what a run takes at its peak, in a process of its own."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from adapters.store import Store
from tests.training.tiny_base import write_recipe, write_tokenizer

ROOT = Path(__file__).resolve().parents[2]
LLAMA = {
    "vocab_size": 32_000, "hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": 10,
    "num_attention_heads": 8, "num_key_value_heads": 4, "max_position_embeddings": 512,
}  # fmt: skip
GEMMA3 = {
    "vocab_size": 262_144, "hidden_size": 320, "intermediate_size": 1024, "num_hidden_layers": 8,
    "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 128,
    "max_position_embeddings": 512,
}  # fmt: skip
GPT2 = {"vocab_size": 50_257, "n_embd": 512, "n_layer": 8, "n_head": 8, "n_positions": 512}
BASES: dict[str, Any] = {
    "llama": lambda: transformers.LlamaConfig(**LLAMA),
    "gemma3": lambda: transformers.Gemma3TextConfig(**GEMMA3),
    "gpt2": lambda: transformers.GPT2Config(**GPT2),
}
CASES = [
    ("llama", "float32", ()),
    ("llama", "float32", ("--gradient-checkpointing",)),
    ("llama", "bfloat16", ("--quantise", "4bit")),
    ("gemma3", "bfloat16", ()),
    ("gpt2", "float32", ()),
]


def write_base(family: str, dtype: str, directory: Path) -> Path:
    write_tokenizer(directory, adds_bos=False)
    config = BASES[family]()
    config.bos_token_id, config.eos_token_id, config.pad_token_id = 257, 256, None
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
    model.save_pretrained(directory)
    return directory


def write_rows(path: Path) -> Path:
    """Rows of 90 to 160 tokens, so that each step has a length of its own."""
    lines = ["prompt,output"]
    lines += [f"number {i}?,{'abcdefg ' * (10 + i * 7 % 9)}{i}" for i in range(64)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.training
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("family", "dtype", "flags"), CASES)
def test_the_peak_of_a_run_is_within_15_percent_of_its_verdict(
    family: str, dtype: str, flags: tuple[str, ...], tmp_path: Path
) -> None:
    base = write_base(family, dtype, tmp_path / "base")
    recipe = write_recipe(tmp_path, base, write_rows(tmp_path / "rows.csv"), task="instruct")
    command = [sys.executable, "-m", "training.sft", "--recipe", str(recipe), "--dtype", dtype]
    done = subprocess.run(
        [*command, "--batch-rows", "14", "--max-steps", "2", *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = re.search(r"Needs: +about ([\d.]+) GB", done.stdout)
    assert found is not None
    peak = Store(tmp_path / "store").resolve("sums@1").manifest.training["peak_memory_bytes"]
    assert isinstance(peak, int)
    assert float(found[1]) * 1e9 == pytest.approx(peak, rel=0.15), done.stdout
