"""Facts are read as the kernel and the model's configuration state them."""

import json
from pathlib import Path

import pytest

from basemodels import BaseModelError
from service.engine.hardware import base_facts, cores_of, has_native_bf16


def described(root: Path, nodes: dict[int, list[list[int]]]) -> Path:
    """A tree like /sys/devices/system with the given cores of logical CPUs on each node."""
    for node, cores in nodes.items():
        for core in cores:
            for cpu in core:
                home = root / f"cpu/cpu{cpu}"
                (home / "topology").mkdir(parents=True)
                (home / "topology/thread_siblings_list").write_text(f"{','.join(map(str, core))}\n")
                (home / f"node{node}").mkdir()
    return root


def test_one_logical_cpu_of_each_core_is_used(tmp_path: Path) -> None:
    root = described(tmp_path, {0: [[0, 4], [1, 5], [2, 6], [3, 7]]})
    assert cores_of(set(range(8)), root) == (0, 1, 2, 3)
    assert cores_of({5, 6, 7, 1}, root) == (1, 6, 7)


def test_cores_of_one_memory_node_are_used(tmp_path: Path) -> None:
    root = described(tmp_path, {0: [[0], [1]], 1: [[2], [3], [4]]})
    assert cores_of(set(range(5)), root) == (2, 3, 4)
    assert cores_of({0, 1, 2}, root) == (0, 1)


def test_cpus_that_are_not_described_count_as_cores(tmp_path: Path) -> None:
    assert cores_of({0, 1, 3}, tmp_path) == (0, 1, 3)


@pytest.mark.parametrize(
    ("flags", "native"),
    [
        ("flags : avx512f avx512_bf16 fma", True),
        ("flags : avx2 amx_bf16 amx_tile", True),
        ("Features : fp asimd bf16", True),
        ("flags : avx2 avx512f avx512vl fma", False),
    ],
)
def test_bfloat16_is_native_where_an_instruction_says_so(flags: str, native: bool) -> None:
    assert has_native_bf16(flags) is native


LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "vocab_size": 1000,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
}
GPT2 = {
    "architectures": ["GPT2LMHeadModel"],
    "vocab_size": 1000,
    "n_embd": 64,
    "n_layer": 3,
    "n_head": 4,
    "n_positions": 256,
}
STARCODER = {**GPT2, "architectures": ["GPTBigCodeForCausalLM"], "multi_query": True}


def written(directory: Path, config: dict[str, object]) -> Path:
    (directory / "config.json").write_text(json.dumps(config))
    return directory


def test_the_costs_of_a_llama(tmp_path: Path) -> None:
    facts = base_facts(written(tmp_path, LLAMA))
    layer = 64 * 64 + 2 * 64 * 32 + 64 * 64 + 3 * 64 * 128
    assert facts.parameters == 3 * layer + 1000 * 64 + (2 * 3 + 1) * 64
    assert facts.kv_values_per_token == 2 * 3 * 2 * 16
    assert facts.lora_values_per_rank == 3 * (128 + 96 + 96 + 128 + 3 * 192)
    assert facts.context_tokens == 512


def test_heads_that_are_not_shared_and_heads_that_are(tmp_path: Path) -> None:
    assert base_facts(written(tmp_path, GPT2)).kv_values_per_token == 2 * 3 * 4 * 16
    shared = base_facts(written(tmp_path, STARCODER))
    assert shared.kv_values_per_token == 2 * 3 * 16
    assert shared.context_tokens == 256
    assert shared.parameters > 2 * 1000 * 64


def test_an_unknown_architecture_is_not_guessed_at(tmp_path: Path) -> None:
    with pytest.raises(BaseModelError, match="MadeUpForCausalLM"):
        base_facts(written(tmp_path, {**LLAMA, "architectures": ["MadeUpForCausalLM"]}))
