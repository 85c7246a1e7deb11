"""What this machine has to give, and what the base model asks for: facts only, no choices."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from basemodels.devices import GIB
from basemodels.modules import read_config
from basemodels.sizes import Sizes, sizes_of

SYSTEM_ROOT = Path("/sys/devices/system")
CGROUP_ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Gpu:
    """The accelerator vLLM would use.

    Attributes:
        fp8: It multiplies 8-bit floating point in hardware, as of compute capability 8.9 (Ada).
    """

    name: str
    total_bytes: int
    free_bytes: int
    bf16: bool
    fp8: bool


@dataclass(frozen=True)
class Hardware:
    """One machine as this process may use it.

    Attributes:
        cores: One logical CPU for each physical core that may be used, of the memory node that has
            most of them: vLLM binds its memory to one node.
        quota_cores: What a container's CPU quota allows, None without one.
        native_bf16: The CPU multiplies bfloat16 in hardware.
        available_bytes: Memory that can be had without swapping.
        gpu: None where vLLM runs on the CPU.
    """

    cores: tuple[int, ...]
    quota_cores: float | None
    native_bf16: bool
    total_bytes: int
    available_bytes: int
    gpu: Gpu | None


@dataclass(frozen=True)
class BaseFacts:
    """What a base model costs.

    Attributes:
        parameters: Weights, by the configuration.
        linear: Those of linear layers, which quantisation shrinks.
        kv_values_per_token: Numbers the KV cache holds for one token.
        lora_values_per_rank: Numbers an adapter on every linear layer has for each rank.
        context_tokens: The longest prompt and answer the model was made for.
    """

    parameters: int
    linear: int
    kv_values_per_token: int
    lora_values_per_rank: int
    context_tokens: int

    def weight_bytes(self, value_bytes: int, quantise: str | None) -> int:
        """Bytes of all weights, those of linear layers in one byte each if quantised to `fp8`."""
        saved = (value_bytes - 1) * self.linear if quantise == "fp8" else 0
        return self.parameters * value_bytes - saved


def base_facts(base_dir: Path) -> BaseFacts:
    """Read a base model's configuration.

    Raises:
        BaseModelError: It cannot be read, or its architecture is not known.
    """
    return facts_of(sizes_of(read_config(base_dir)))


def facts_of(sizes: Sizes) -> BaseFacts:
    """What of a model's sizes matters here."""
    return BaseFacts(
        parameters=sizes.parameters,
        linear=sizes.linear,
        kv_values_per_token=sizes.kv_per_token,
        lora_values_per_rank=sizes.lora_per_rank,
        context_tokens=sizes.context_tokens,
    )


def detect() -> Hardware:
    """Look at this machine. Loads vLLM to learn which device it would use."""
    total_bytes, available_bytes = memory()
    return Hardware(
        cores=cores_of(os.sched_getaffinity(0), SYSTEM_ROOT),
        quota_cores=_quota_cores(CGROUP_ROOT),
        native_bf16=has_native_bf16(Path("/proc/cpuinfo").read_text(encoding="utf-8")),
        total_bytes=total_bytes,
        available_bytes=available_bytes,
        gpu=_gpu(),
    )


def has_native_bf16(cpuinfo: str) -> bool:
    """Whether `/proc/cpuinfo` names instructions that multiply bfloat16."""
    return re.search(r"\b(avx512_bf16|amx_bf16|bf16)\b", cpuinfo) is not None


def cores_of(allowed: set[int], root: Path) -> tuple[int, ...]:
    """Choose logical CPUs to compute on: one for each physical core of one memory node.

    Args:
        allowed: The logical CPUs this process may use.
        root: Where the kernel describes CPUs and nodes.
    """
    nodes: dict[str, dict[str, int]] = {}
    for cpu in sorted(allowed):
        home = root / f"cpu/cpu{cpu}"
        siblings = home / "topology/thread_siblings_list"
        core = siblings.read_text(encoding="utf-8").strip() if siblings.is_file() else str(cpu)
        node = next((link.name for link in sorted(home.glob("node[0-9]*"))), "node0")
        nodes.setdefault(node, {}).setdefault(core, cpu)
    return tuple(max(nodes.values(), key=len).values())


def _quota_cores(root: Path) -> float | None:
    path = root / "cpu.max"
    quota, period = path.read_text(encoding="utf-8").split() if path.is_file() else ("max", "1")
    return None if quota == "max" else int(quota) / int(period)


def memory() -> tuple[int, int]:
    """Total and available bytes, of the container if it has a limit."""
    meminfo = Path("/proc/meminfo").read_text(encoding="utf-8")
    figures = {key: int(kib) * 1024 for key, kib in re.findall(r"^(\w+): +(\d+) kB", meminfo, re.M)}
    total, available = figures["MemTotal"], figures["MemAvailable"]
    limit = _whole(CGROUP_ROOT / "memory.max")
    if limit is None or limit >= total:
        return total, available
    used = _whole(CGROUP_ROOT / "memory.current") or 0
    stat = (CGROUP_ROOT / "memory.stat").read_text(encoding="utf-8")
    reclaimable = sum(int(size) for size in re.findall(r"^(?:in)?active_file (\d+)$", stat, re.M))
    return limit, min(available, max(0, limit - used + reclaimable))


def _whole(path: Path) -> int | None:
    text = path.read_text(encoding="utf-8").strip() if path.is_file() else "max"
    return None if text == "max" else int(text)


def _gpu() -> Gpu | None:
    from vllm.platforms import current_platform  # noqa: PLC0415 - loads torch

    if not current_platform.is_cuda():
        return None
    from vllm.third_party import pynvml  # noqa: PLC0415 - needs the NVIDIA driver

    # NVML, since asking torch would open a CUDA context in this process and keep memory for it.
    pynvml.nvmlInit()
    try:
        number = current_platform.device_id_to_physical_device_id(0)
        memory = pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByIndex(number))
    finally:
        pynvml.nvmlShutdown()
    return Gpu(
        name=current_platform.get_device_name(0),
        total_bytes=memory.total,
        free_bytes=memory.free,
        bf16=bool(current_platform.has_device_capability(80)),
        fp8=bool(current_platform.has_device_capability(89)),
    )


def gib(size_bytes: int) -> str:
    """Say a size of memory as people do."""
    return f"{size_bytes / GIB:.1f} GiB"
