"""PEFT's LoRA layers with the same numbers and less memory traffic.

PEFT adds the low-rank update in separate passes over the output and keeps what autograd needs for
each. One function here adds it in place and keeps the input and the (T, R) product alone.
"""

import functools
from typing import Any

import torch
from peft.tuners.lora.layer import Linear as PeftLinear
from torch import Tensor, nn


def speed_up(model: nn.Module) -> int:
    """Give every plain LoRA layer of a PEFT model the fast forward; return how many.

    Left alone are quantised layers, Conv1D (GPT-2), dropout and variants such as DoRA.
    """
    changed = 0
    for module in model.modules():
        if isinstance(module, PeftLinear) and _is_plain(module):
            module.forward = functools.partial(_forward, module)
            changed += 1
    return changed


def _is_plain(module: PeftLinear) -> bool:
    return (
        isinstance(module.get_base_layer(), nn.Linear)
        and module.get_base_layer().weight.is_floating_point()
        and list(module.lora_A) == list(module.active_adapters)
        and len(module.lora_A) == 1
        and not module.lora_variant
        and all(isinstance(dropout, nn.Identity) for dropout in module.lora_dropout.values())
        and not any(layer.bias is not None for layer in module.lora_B.values())
    )


def _forward(module: PeftLinear, x: Tensor) -> Tensor:
    base = module.get_base_layer()
    if module.disable_adapters or module.merged:
        output: Tensor = base(x)
        return output
    (name,) = module.active_adapters
    adapted: Tensor = _LoraLinear.apply(  # type: ignore[no-untyped-call]  # torch's own
        x,
        base.weight,
        base.bias,
        module.lora_A[name].weight,
        module.lora_B[name].weight,
        module.scaling[name],
    )
    return adapted


class _LoraLinear(torch.autograd.Function):
    """y = x W' + b + s (x A') B' with W and b frozen; W is (O, I), A (R, I), B (O, R)."""

    @staticmethod
    def forward(  # noqa: PLR0913 - torch's calling convention
        ctx: Any,  # noqa: ANN401 - torch gives no type with these attributes
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        a: Tensor,
        b: Tensor,
        scale: float,
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])  # (T, I)
        a_cast, b_cast = a.to(flat.dtype), b.to(flat.dtype)
        low = flat @ a_cast.T  # (T, R)
        output = torch.nn.functional.linear(x, weight, bias)  # as x, (..., O)
        output.view(-1, output.shape[-1]).addmm_(low, b_cast.T, alpha=scale)
        ctx.save_for_backward(flat, weight, low, a_cast, b_cast)
        ctx.scale, ctx.a_dtype, ctx.b_dtype = scale, a.dtype, b.dtype
        # Not a view, since some models add to it in place.
        return output

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401 - as above
        flat, weight, low, a_cast, b_cast = ctx.saved_tensors
        gradient = upstream[0].reshape(-1, weight.shape[0])  # (T, O)
        gradient_low = (gradient @ b_cast).mul_(ctx.scale)  # (T, R)
        gradient_b = (gradient.T @ low).mul_(ctx.scale)  # (O, R)
        gradient_a = gradient_low.T @ flat  # (R, I)
        gradient_x = None
        if ctx.needs_input_grad[0]:
            gradient_x = gradient @ weight  # (T, I)
            gradient_x.addmm_(gradient_low, a_cast)
            gradient_x = gradient_x.view(*upstream[0].shape[:-1], weight.shape[1])
        return (
            gradient_x,
            None,
            None,
            gradient_a.to(ctx.a_dtype),
            gradient_b.to(ctx.b_dtype),
            None,
        )
