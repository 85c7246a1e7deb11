"""The values of an adapter's tensors, streamed: finite, of sane size, and not without effect.

numpy has no bfloat16; its 16 bits are the upper half of a float32.
"""

import os
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adapters.findings import Findings
from adapters.header import DTYPE_BYTES, Tensor
from adapters.layout import WEIGHTS
from adapters.peftconfig import PeftConfig

CHUNK_VALUES = 1 << 20
MAX_ABSOLUTE = 100.0
MIN_UPDATE_NORM, MAX_UPDATE_NORM = 1e-9, 1e5


class Extent(NamedTuple):
    """How large the values of one tensor are.

    Attributes:
        finite: No NaN and no infinity among them.
        absolute: The largest absolute value.
        norm: The Frobenius norm.
    """

    finite: bool
    absolute: float
    norm: float


def check(
    descriptor: int, modules: dict[str, dict[str, Tensor]], config: PeftConfig, findings: Findings
) -> None:
    """Check the values of complete pairs in an open file.

    Args:
        descriptor: The weights.
        modules: Tensors per module and side.
        config: Gives the scale of each update.
        findings: Gets what is wrong.
    """
    effective, before = False, len(findings)
    for module, sides in modules.items():
        extents = {side: measure(descriptor, tensor) for side, tensor in sorted(sides.items())}
        for side, extent in extents.items():
            _check_extent(f"{module}.lora_{side}", extent, findings)
        norm = config.scale_of(module) * extents["A"].norm * extents["B"].norm
        effective |= norm > MIN_UPDATE_NORM
        if norm > MAX_UPDATE_NORM:
            findings.add(
                "norm_too_large",
                WEIGHTS,
                f"The update of {module} may have a norm of {norm:.3g}, expected at most "
                f"{MAX_UPDATE_NORM:g}. The training diverged; lower the learning rate.",
            )
    if not effective and len(findings) == before:
        findings.add(
            "no_effect",
            WEIGHTS,
            "Every update B @ A is zero or next to it, so the adapter would answer like the base "
            "model. Train it, or save after training.",
        )


def measure(descriptor: int, tensor: Tensor) -> Extent:
    """Measure one tensor of an open file."""
    finite, absolute, squares = True, 0.0, 0.0
    for values in stream(descriptor, tensor):
        with np.errstate(all="ignore"):
            total = float(np.dot(values, values))
            largest = float(np.max(np.abs(values)))
        if not np.isfinite(total):
            finite = finite and bool(np.isfinite(values).all())
        absolute, squares = max(absolute, largest), squares + total
    return Extent(finite, absolute, float(np.sqrt(squares)))


def stream(descriptor: int, tensor: Tensor) -> Iterator[NDArray[np.float32]]:
    """Read a tensor in file order as float32, about 4 MB at a time."""
    step = CHUNK_VALUES * DTYPE_BYTES[tensor.dtype]
    for offset in range(0, tensor.size_bytes, step):
        wanted = min(step, tensor.size_bytes - offset)
        yield _as_float32(os.pread(descriptor, wanted, tensor.start + offset), tensor.dtype)


def _as_float32(raw: bytes, dtype: str) -> NDArray[np.float32]:
    if dtype == "F32":
        return np.frombuffer(raw, np.dtype("<f4"))
    if dtype == "F16":
        return np.frombuffer(raw, np.dtype("<f2")).astype(np.float32)
    return (np.frombuffer(raw, np.dtype("<u2")).astype(np.uint32) << 16).view(np.float32)


def _check_extent(name: str, extent: Extent, findings: Findings) -> None:
    if not extent.finite:
        findings.add(
            "not_finite",
            WEIGHTS,
            f"{name} holds NaN or infinity, expected finite values. The training diverged; lower "
            "the learning rate and train again.",
        )
    elif extent.absolute > MAX_ABSOLUTE:
        findings.add(
            "value_too_large",
            WEIGHTS,
            f"{name} holds {extent.absolute:.3g}, expected at most {MAX_ABSOLUTE:g}. The training "
            "diverged; lower the learning rate and train again.",
        )
