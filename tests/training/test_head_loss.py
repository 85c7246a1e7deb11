"""The loss through the frozen head equals plain cross-entropy, whatever the size of a tile."""

import pytest
import torch
from torch.nn.functional import cross_entropy, linear

from training import head_loss


@pytest.mark.parametrize("tile_values", [1, 300 * 4, 1 << 24])
@pytest.mark.parametrize("biased", [False, True])
def test_loss_and_gradient_equal_plain_cross_entropy(
    monkeypatch: pytest.MonkeyPatch, tile_values: int, biased: bool
) -> None:
    monkeypatch.setattr(head_loss, "TILE_VALUES", tile_values)
    torch.manual_seed(0)
    weight = torch.randn(300, 16)
    bias = torch.randn(300) if biased else None
    targets = torch.randint(0, 300, (11,))
    hidden = torch.randn(11, 16, requires_grad=True)
    plain = hidden.detach().clone().requires_grad_()
    loss = head_loss.summed_loss(hidden, weight, bias, targets) / 7
    expected = cross_entropy(linear(plain, weight, bias), targets, reduction="sum") / 7
    torch.autograd.backward(loss)
    torch.autograd.backward(expected)
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(hidden.grad, plain.grad, atol=1e-6, rtol=1e-5)


def test_no_labelled_position_gives_a_loss_of_zero_that_can_be_differentiated() -> None:
    hidden = torch.randn(0, 16, requires_grad=True)
    none = torch.zeros(0, dtype=torch.long)
    loss = head_loss.summed_loss(hidden, torch.randn(300, 16), None, none)
    torch.autograd.backward(loss)
    assert loss.item() == 0


def test_the_loss_of_bfloat16_weights_is_summed_in_float32() -> None:
    torch.manual_seed(0)
    hidden = torch.randn(64, 16).bfloat16().requires_grad_()
    weight = torch.randn(300, 16).bfloat16()
    targets = torch.randint(0, 300, (64,))
    loss = head_loss.summed_loss(hidden, weight, None, targets)
    assert loss.dtype == torch.float32
    torch.autograd.backward(loss)
    assert hidden.grad is not None
    assert hidden.grad.dtype == torch.bfloat16
    expected = cross_entropy((hidden.detach() @ weight.T).float(), targets, reduction="sum")
    torch.testing.assert_close(loss, expected, rtol=1e-3, atol=1e-2)
