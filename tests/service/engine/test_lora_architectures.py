"""vLLM with our plugin answers as PEFT does on the architectures it does not support itself."""

import importlib

import pytest

from benchmarks.goals import PARITY_NAT
from benchmarks.parity.report import measure
from service.engine.plugin import LORA_ARCHITECTURES

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("architecture", ["gpt2", "starcoder", "falcon"])
def test_every_condition_gives_the_log_probabilities_of_peft(architecture: str) -> None:
    found = measure(architecture)
    assert len(found) == 5
    for condition, worst in found.items():
        assert worst["compared"] > 100, condition
        assert worst["least_effect"] > 10 * PARITY_NAT, condition
        assert worst["difference"] <= PARITY_NAT, condition
        assert worst["other_top"] == 0, condition


@pytest.mark.usefixtures("vllm_imported")
def test_the_plugin_names_classes_that_vllm_takes_for_lora_models() -> None:
    from vllm.model_executor.models.interfaces import supports_lora

    for name in LORA_ARCHITECTURES.values():
        module, _, attribute = name.partition(":")
        assert supports_lora(getattr(importlib.import_module(module), attribute))
