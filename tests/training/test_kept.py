"""What autograd keeps of a layer, counted by hooks, is what the memory estimate says."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from peft import LoraConfig, get_peft_model

from basemodels.modules import linear_shapes, read_config
from basemodels.sizes import sizes_of
from basemodels.training_memory import Setup, memory_parts
from tests.training.tiny_models import examples
from training.batches import make_parts
from training.forward import part_loss, rows_apart
from training.loading import load_base
from training.lora_layers import speed_up

ROWS = [64] * 8
OLD = {"vocab_size": 300, "n_embd": 256, "n_head": 4, "n_positions": 128}
NEW = {
    "vocab_size": 300, "hidden_size": 256, "num_attention_heads": 4, "max_position_embeddings": 128,
}  # fmt: skip
GATED = {**NEW, "intermediate_size": 1024, "num_key_value_heads": 2, "head_dim": 64}
# The shape of gemma-3-270m, whose heads are wider than the layer.
GEMMA3 = {
    "vocab_size": 300, "hidden_size": 320, "intermediate_size": 1024, "num_attention_heads": 4,
    "num_key_value_heads": 1, "head_dim": 128, "max_position_embeddings": 128,
}  # fmt: skip
BUILD: dict[str, Any] = {
    "llama": lambda n: transformers.LlamaConfig(**GATED, num_hidden_layers=n),
    "mistral": lambda n: transformers.MistralConfig(**GATED, num_hidden_layers=n),
    "qwen2": lambda n: transformers.Qwen2Config(**GATED, num_hidden_layers=n),
    "gemma": lambda n: transformers.GemmaConfig(**GATED, num_hidden_layers=n),
    "gemma3": lambda n: transformers.Gemma3TextConfig(**GEMMA3, num_hidden_layers=n),
    "gpt_neox": lambda n: transformers.GPTNeoXConfig(
        **NEW, intermediate_size=1024, num_hidden_layers=n
    ),
    "falcon": lambda n: transformers.FalconConfig(**NEW, num_hidden_layers=n),
    "gpt2": lambda n: transformers.GPT2Config(**OLD, n_layer=n),
    "gpt_bigcode": lambda n: transformers.GPTBigCodeConfig(**OLD, n_layer=n),
}
SETUP = Setup(
    rank=8, dtype="float32", quantise=None, optimizer="adamw", gradient_checkpointing=False,
    tokens_at_once=sum(ROWS), longest_tokens=64,
)  # fmt: skip
pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated"),
    pytest.mark.filterwarnings("ignore:MatMul8bitLt. inputs will be cast"),
]


def kept_bytes(directory: Path, dtype: str, quantise: str | None) -> int:
    """Bytes that a forward pass leaves for the backward pass, each storage once, weights aside."""
    base = load_base(directory, "cpu", dtype, quantise)
    targets = sorted({path.rsplit(".", 1)[-1] for path in linear_shapes(directory)})
    lora = LoraConfig(r=8, target_modules=targets, fan_in_fan_out=base.config.model_type == "gpt2")
    model = get_peft_model(base, lora)
    speed_up(model)
    model.train()
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    seen: dict[int, torch.UntypedStorage] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            seen[storage.data_ptr()] = storage
        return tensor

    (part,) = make_parts(examples(*ROWS), 10_000)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor), rows_apart(part):
        part_loss(model.get_base_model(), part)
    return sum(storage.nbytes() for storage in seen.values())


CASES = [(family, None) for family in sorted(BUILD)] + [("llama", "4bit"), ("llama", "8bit")]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("family", "quantise"), CASES)
def test_what_a_layer_keeps_is_what_the_estimate_says(
    family: str, dtype: str, quantise: str | None, tmp_path: Path
) -> None:
    counted, said = [], []
    for layers in (1, 3):
        directory = tmp_path / str(layers)
        config = BUILD[family](layers)
        transformers.AutoModelForCausalLM.from_config(config).save_pretrained(directory)
        counted.append(kept_bytes(directory, dtype, quantise))
        sizes = sizes_of(read_config(directory))
        setup = replace(SETUP, dtype=dtype, quantise=quantise)
        said.append(memory_parts(sizes, setup, 0)["activations"])
    assert said[1] - said[0] == pytest.approx(counted[1] - counted[0], rel=0.15)
