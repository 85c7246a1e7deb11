"""Tensors against the base model: names, partners, shapes, ranks. Reads no values."""

import re

from adapters.findings import Findings, shown
from adapters.header import MAX_HEADER_BYTES, Tensor
from adapters.layout import WEIGHTS
from adapters.peftconfig import PeftConfig

Shapes = dict[str, tuple[int, int]]
Sides = dict[str, Tensor]

KEY = re.compile(r"base_model\.model\.(?P<module>[A-Za-z0-9_.]+)\.lora_(?P<side>[AB])\.weight")
MAX_DTYPE_BYTES = 4


def max_weights_bytes(shapes: Shapes, max_rank: int) -> int:
    """The largest file that every module at the highest rank can fill."""
    elements = sum(fan_in + fan_out for fan_in, fan_out in shapes.values()) * max_rank
    return elements * MAX_DTYPE_BYTES + MAX_HEADER_BYTES + 8


def check(
    tensors: list[Tensor], config: PeftConfig, shapes: Shapes, findings: Findings
) -> dict[str, Sides] | None:
    """Check names, partners and shapes.

    Returns:
        The tensors per module and side ("A", "B"), or `None` if anything was found.
    """
    before = len(findings)
    if not tensors:
        findings.add(
            "no_tensors", WEIGHTS, "There is no tensor in it. Save the trained adapter again."
        )
    if len(tensors) > 2 * len(shapes):
        findings.add(
            "tensor_count",
            WEIGHTS,
            f"It has {len(tensors)} tensors, the base model has room for {2 * len(shapes)}. "
            "Check that it was made for this base model.",
        )
        return None
    modules = _by_module(tensors, shapes, findings)
    for module, sides in modules.items():
        _check_pair(module, sides, config, shapes[module], findings)
    _check_complete(modules, config, shapes, findings)
    return modules if len(findings) == before else None


def _by_module(tensors: list[Tensor], shapes: Shapes, findings: Findings) -> dict[str, Sides]:
    modules: dict[str, Sides] = {}
    for tensor in tensors:
        match = KEY.fullmatch(tensor.name)
        if match is None:
            findings.add(
                "key_unknown",
                WEIGHTS,
                f"{shown(tensor.name)} is not the weight of a LoRA; expected "
                "base_model.model.<module>.lora_A.weight or lora_B.weight. It would be ignored or "
                "change the model; train without it.",
            )
        elif match["module"] not in shapes:
            findings.add(
                "module_unknown",
                WEIGHTS,
                f"The base model has no linear layer {shown(match['module'])}, expected one such "
                f"as {next(iter(shapes))}. The adapter was made for another model.",
            )
        else:
            modules.setdefault(match["module"], {})[match["side"]] = tensor
    return modules


def _check_pair(
    module: str, sides: Sides, config: PeftConfig, shape: tuple[int, int], findings: Findings
) -> None:
    fan_in, fan_out = shape
    rank = config.rank_of(module)
    if not config.targeted(module):
        findings.add(
            "module_not_targeted",
            WEIGHTS,
            f"It has tensors for {module}, which adapter_config.json does not target. "
            "Put back the configuration that was saved with these weights.",
        )
    for side, dimension, expected in (("A", 1, (rank, fan_in)), ("B", 0, (fan_out, rank))):
        tensor = sides.get(side)
        if tensor is None:
            findings.add(
                f"lora_{side.lower()}_missing",
                WEIGHTS,
                f"{module} has no lora_{side}.weight, only its partner. Save the adapter again.",
            )
        elif len(tensor.shape) != 2 or tensor.shape[dimension] != expected[dimension]:
            findings.add(
                "shape_mismatch",
                WEIGHTS,
                f"{module}.lora_{side} has shape {shown(list(tensor.shape))}, the base model needs "
                f"{list(expected)}. The adapter was made for another model.",
            )
        elif tensor.shape != expected:
            findings.add(
                "rank_mismatch",
                WEIGHTS,
                f"{module}.lora_{side} has rank {tensor.shape[1 - dimension]}, "
                f"adapter_config.json says {rank}. Put back the configuration that was saved "
                "with these weights.",
            )


def _check_complete(
    modules: dict[str, Sides], config: PeftConfig, shapes: Shapes, findings: Findings
) -> None:
    for module in shapes if config.complete else []:
        if module not in modules and config.targeted(module):
            findings.add(
                "module_missing",
                WEIGHTS,
                f"{module} is targeted but has no tensors. The weights are incomplete; save the "
                "adapter again.",
            )
