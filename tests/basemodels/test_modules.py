"""Module sizes derived from config.json equal those of the real model classes."""

import json
from pathlib import Path

import pytest

from basemodels.errors import BaseModelError
from basemodels.modules import FAMILIES, linear_shapes

GROUPED: dict[str, object] = {
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 80,
}
GPT2: dict[str, object] = {"n_embd": 48, "n_layer": 2, "n_head": 4, "n_positions": 64}
FALCON: dict[str, object] = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
CASES: list[tuple[str, dict[str, object]]] = [
    ("llama", GROUPED),
    ("mistral", {**GROUPED, "head_dim": 20}),
    ("qwen2", GROUPED),
    ("gemma", {**GROUPED, "head_dim": 16}),
    ("gemma3_text", {**GROUPED, "head_dim": 16}),
    ("gpt2", GPT2),
    ("gpt2", {**GPT2, "n_inner": 100}),
    ("gpt_bigcode", GPT2),
    ("gpt_bigcode", {**GPT2, "multi_query": False}),
    ("gpt_neox", {**GROUPED, "num_key_value_heads": 4}),
    ("falcon", FALCON),
    ("falcon", {**FALCON, "multi_query": False}),
    ("falcon", {**FALCON, "new_decoder_architecture": True, "num_kv_heads": 2}),
]


@pytest.mark.parametrize(("model_type", "settings"), CASES)
@pytest.mark.filterwarnings("ignore")
def test_shapes_equal_the_real_model(
    tmp_path: Path, model_type: str, settings: dict[str, object]
) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.pytorch_utils import Conv1D

    ids = {"vocab_size": 128, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
    config = AutoConfig.for_model(model_type, **settings, **ids)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    config.architectures = [type(model).__name__]
    (tmp_path / "config.json").write_text(config.to_json_string(use_diff=False))
    expected = {}
    for name, module in model.named_modules():
        if isinstance(module, Conv1D):
            expected[name] = tuple(module.weight.shape)
        elif isinstance(module, torch.nn.Linear) and name != "lm_head":
            expected[name] = (module.in_features, module.out_features)
    assert expected
    assert linear_shapes(tmp_path) == expected


def test_every_known_family_is_compared_with_a_real_model() -> None:
    assert len(FAMILIES) == len({model_type for model_type, _ in CASES})


def test_an_unknown_architecture_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["MambaForCausalLM"]}))
    with pytest.raises(BaseModelError, match=r"'MambaForCausalLM'.*LlamaForCausalLM"):
        linear_shapes(tmp_path)


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"architectures": ["LlamaForCausalLM"]}'])
def test_a_broken_config_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(BaseModelError, match=r"Replace|Give its path"):
        linear_shapes(tmp_path)


@pytest.mark.parametrize("value", [0, -1, True, "48", 4.5])
def test_a_size_that_is_not_a_positive_whole_number_is_refused(
    tmp_path: Path, value: object
) -> None:
    config = {"architectures": ["LlamaForCausalLM"], **GROUPED, "hidden_size": value}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(BaseModelError, match="hidden_size="):
        linear_shapes(tmp_path)
