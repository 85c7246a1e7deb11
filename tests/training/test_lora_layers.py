"""The fast LoRA layer computes what PEFT's computes."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from tests.training.tiny_models import FAMILIES, tiny_model
from training.lora_layers import speed_up

# transformers' GPTBigCode compiles two functions with torch.jit when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")


class OneLayer(nn.Module):
    """A single linear layer under a name that LoRA can target."""

    def __init__(self, *, bias: bool) -> None:
        super().__init__()
        self.layer = nn.Linear(24, 40, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.layer(x)
        return output


def adapted(*, bias: bool = False, dropout: float = 0.0, rslora: bool = False) -> nn.Module:
    torch.manual_seed(0)
    config = LoraConfig(
        r=4, lora_alpha=12, target_modules=["layer"], lora_dropout=dropout, use_rslora=rslora
    )
    model: nn.Module = get_peft_model(OneLayer(bias=bias), config)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data = torch.randn(weight.shape)
    return model


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("rslora", [False, True])
def test_output_and_gradients_equal_those_of_peft(bias: bool, rslora: bool) -> None:
    plain, fast = adapted(bias=bias, rslora=rslora), adapted(bias=bias, rslora=rslora)
    assert speed_up(fast) == 1
    results = []
    for model in (plain, fast):
        x = torch.randn(2, 9, 24, generator=torch.Generator().manual_seed(3), requires_grad=True)
        output = model(x)
        torch.autograd.backward(output.square().mean())
        weights = [w.grad for n, w in model.named_parameters() if "lora_" in n]
        results.append([output, x.grad, *weights])
    for expected, found in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_gradients_are_those_of_finite_differences() -> None:
    fast = adapted(bias=True).double()
    speed_up(fast)
    x = torch.randn(3, 24, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(fast, (x,))


def test_dropout_is_left_to_peft() -> None:
    assert speed_up(adapted(dropout=0.1)) == 0


def test_a_layer_that_needs_no_input_gradient_still_trains() -> None:
    fast = adapted()
    speed_up(fast)
    torch.autograd.backward(fast(torch.randn(5, 24)).sum())
    assert all(w.grad is not None for n, w in fast.named_parameters() if "lora_" in n)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_linear_layer_of_an_architecture_is_fast_but_conv1d(family: str) -> None:
    expected = {"gpt2": 0, "falcon": 8, "gpt_bigcode": 8, "gpt_neox": 8}.get(family, 14)
    assert speed_up(tiny_model(family)) == expected
