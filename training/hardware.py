"""What this machine offers a training run, found by asking and, where asking misleads, by timing."""

import os
import platform
import time
from pathlib import Path

import torch

from training.errors import RunRefused
from training.job import Compute

# How much faster bfloat16 must be before it is worth its rounding.
WORTHWHILE = 1.15
PROBE_SHAPE = (512, 576, 1536)
PROBE_REPEATS = 5


def usable_cores() -> int:
    """Cores this process may run on."""
    return len(os.sched_getaffinity(0))


def choose_compute(dtype: str, threads: int, device: str = "auto") -> Compute:
    """Choose device and number type.

    Args:
        dtype: "auto", "float32" or "bfloat16".
        threads: CPU threads that the run will use.
        device: "auto", "cpu" or "cuda".

    Raises:
        RunRefused: There is no such device.
    """
    torch.set_num_threads(threads)
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise RunRefused(
            "device=cuda, but torch finds no GPU; expected one. Use device=cpu, or mend the driver."
        )
    if device == "auto":
        device = "cuda" if there else "cpu"
    single, half = (_measure(device, kind) for kind in (torch.float32, torch.bfloat16))
    if dtype != "auto":
        asked = single if dtype == "float32" else half
        return Compute(device, dtype, "as the recipe says", asked)
    if not _has_native_bfloat16(device):
        return Compute(device, "float32", "no native bfloat16 here", single)
    ratio = half / single
    if ratio < WORTHWHILE:
        return Compute(device, "float32", f"bfloat16 measured {ratio:.2f} times as fast", single)
    return Compute(device, "bfloat16", f"measured {ratio:.2f} times as fast as float32", half)


def _has_native_bfloat16(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _measure(device: str, kind: torch.dtype) -> float:
    """Floating-point operations per second of the product that LoRA training consists of."""
    rows, inputs, outputs = PROBE_SHAPE
    x = torch.randn(rows, inputs, device=device, dtype=kind)
    weight = torch.randn(outputs, inputs, device=device, dtype=kind)
    best_s = float("inf")
    for _ in range(PROBE_REPEATS):
        _wait(device)
        started = time.perf_counter()
        torch.nn.functional.linear(x, weight) @ weight
        _wait(device)
        best_s = min(best_s, time.perf_counter() - started)
    return 4 * rows * inputs * outputs / best_s


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def free_memory_bytes(device: str) -> int:
    """Memory that a run may take on a device."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    return _available_memory_bytes()


def _available_memory_bytes() -> int:
    with Path("/proc/meminfo").open(encoding="utf-8") as lines:
        sizes = dict(line.split(":", 1) for line in lines)
    return int(sizes["MemAvailable"].split()[0]) * 1024


def describe(device: str) -> str:
    """Name the hardware for a manifest."""
    if device == "cuda":
        return str(torch.cuda.get_device_name())
    return f"{_cpu_name()}, {usable_cores()} cores"


def _cpu_name() -> str:
    with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
