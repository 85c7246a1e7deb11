"""The machine: what computes, its memory and disk against the base, limits, clock and proxies."""

import dataclasses
import os
import re
import resource
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from basemodels.devices import Device
from basemodels.planning import Wish, plan
from basemodels.sizes import Sizes
from service.doctor.finding import Finding, State, not_applicable

YEARS = range(2025, 2101)
CLOCK_SAMPLE_S = 0.05
MAX_CLOCK_ERROR_S = 0.02
# Beside the sockets: weights, the store, vLLM's pipes and libraries.
OTHER_FILES = 512
LEAST_SHM_BYTES = 64 << 20
QUERY = "name,driver_version,memory.total,memory.free,compute_cap"
TOOL_TIMEOUT_S = 10


def device(build: str | None, cpuinfo: str, cores: int) -> Finding:
    """The GPU, or the CPU, and whether the installed build is the one for it.

    Args:
        build: `cpu` or `gpu`, of the installed vLLM.
        cpuinfo: `/proc/cpuinfo`.
        cores: Logical CPUs that this process may use.
    """
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return _cpu(build, cpuinfo, cores)
    command = [tool, f"--query-gpu={QUERY}", "--format=csv,noheader"]
    try:
        told = subprocess.run(  # noqa: S603 - NVIDIA's own tool, from the path
            command, capture_output=True, text=True, check=False, timeout=TOOL_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return Finding(
            "device",
            "failed",
            f"nvidia-smi did not answer within {TOOL_TIMEOUT_S} s",
            "The driver hangs: look into `dmesg`, and restart the machine.",
        )
    gpus = told.stdout.strip().splitlines()
    if told.returncode != 0 or not gpus:
        said = (told.stdout + told.stderr).strip().splitlines()[:1]
        return Finding(
            "device",
            "failed",
            f"nvidia-smi sees no GPU: {' '.join(said) or f'exit code {told.returncode}'}",
            "Load or install the driver (`modprobe nvidia`; in a container: `--gpus all`).",
        )
    if build == "cpu":
        return Finding(
            "device",
            "warning",
            f"{gpus[0]}, but vLLM is the build for CPUs, which leaves it idle",
            "Run `LORADOCK_DEVICE=gpu scripts/setup` to use it.",
        )
    return Finding("device", "ok", "; ".join(gpus))


def _cpu(build: str | None, cpuinfo: str, cores: int) -> Finding:
    flags = set(re.findall(r"\b(?:avx2|avx512f|avx512_bf16|amx_bf16)\b", cpuinfo))
    found = f"no GPU; {cores} CPU core(s) with {', '.join(sorted(flags)) or 'no AVX2'}"
    if build == "gpu":
        remedy = "Run `LORADOCK_DEVICE=cpu scripts/setup`, or install the NVIDIA driver."
        return Finding("device", "failed", f"{found}, but vLLM is the build for GPUs", remedy)
    if "avx2" not in flags:
        remedy = "vLLM's build for CPUs needs AVX2: use a machine from 2014 or later, or a GPU."
        return Finding("device", "failed", found, remedy)
    bf16 = "" if {"avx512_bf16", "amx_bf16"} & flags else "; no bf16, so float32 is computed in"
    return Finding("device", "ok", found + bf16)


def capacity(
    sizes: Sizes, machine: Device, wish: Wish, *, available_bytes: int, fetched: bool
) -> list[Finding]:
    """Memory and disk against what serving takes by `python -m basemodels plan`.

    Args:
        sizes: Of the base.
        machine: What there is.
        wish: What shall be served.
        available_bytes: Main memory that can be had without swapping.
        fetched: The base lies on this machine, so that only adapters need disk.
    """
    planned = plan(sizes, "serve", machine, wish)
    adapters = next(part.size_bytes for part in planned.parts if part.name == "adapters")
    disk_bytes = adapters if fetched else planned.disk_bytes
    return [
        _memory(planned.needed_bytes, planned.limit_bytes, machine, available_bytes),
        _room("disk", machine.disk_bytes, disk_bytes, "for the base and adapters"),
    ]


def _memory(needed: int, limit: int, machine: Device, available_bytes: int) -> Finding:
    found = f"{needed / 1e9:.1f} GB needed, {limit / 1e9:.1f} GB may be used of {machine.name}"
    if needed > limit:
        remedy = (
            "Choose a smaller base, or lower max_docked_versions, max_lora_rank or "
            "max_context_tokens; `python -m basemodels plan BASE` shows every part."
        )
        return Finding("memory", "failed", found, remedy)
    if not machine.gpu_bytes and needed > available_bytes:
        found += f", but only {available_bytes / 1e9:.1f} GB are free now"
        return Finding("memory", "warning", found, "End what else takes memory before the start.")
    return Finding("memory", "ok", found)


def _room(name: str, free_bytes: int, needed_bytes: int, what: str) -> Finding:
    found = f"{free_bytes / 1e9:.1f} GB free, {needed_bytes / 1e9:.1f} GB needed {what}"
    if free_bytes < needed_bytes:
        return Finding(
            name, "failed", found, "Free some, or set LORADOCK_CACHE and --store to a larger disk."
        )
    return Finding(name, "ok", found)


def clock(
    wall: Callable[[], float] = time.time,
    steady: Callable[[], float] = time.monotonic,
    sync_dir: Path = Path("/run/systemd/timesync"),
) -> Finding:
    """Whether the time is believable, runs evenly, and is kept by systemd where that is in use."""
    set_it = "Set it (`timedatectl set-ntp true`): ages, key dates and gc go by it."
    start_wall, start_steady = wall(), steady()
    time.sleep(CLOCK_SAMPLE_S)
    error_s = (wall() - start_wall) - (steady() - start_steady)
    now = datetime.fromtimestamp(start_wall, UTC)
    if now.year not in YEARS:
        return Finding("clock", "failed", f"it is {now:%Y-%m-%d %H:%M} UTC by it", set_it)
    if abs(error_s) > MAX_CLOCK_ERROR_S:
        return Finding(
            "clock", "warning", f"it jumped by {error_s:+.2f} s within {CLOCK_SAMPLE_S} s", set_it
        )
    if sync_dir.is_dir() and not (sync_dir / "synchronized").exists():
        return Finding("clock", "warning", f"{now:%Y-%m-%d %H:%M} UTC, not synchronised", set_it)
    return Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M} UTC")


def open_files(requests: int) -> Finding:
    """Whether so many requests may each have a socket, beside all that is open anyway."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = requests + OTHER_FILES
    if soft in (resource.RLIM_INFINITY, -1) or soft >= needed:
        return Finding("open files", "ok", f"limit {soft}, up to {needed} needed")
    remedy = f"`ulimit -n {needed}` (hard limit {hard}), or LimitNOFILE={needed} in the unit."
    state: State = "failed" if soft < OTHER_FILES else "warning"
    return Finding("open files", state, f"limit {soft}, up to {needed} needed", remedy)


def shared_memory(path: Path = Path("/dev/shm")) -> Finding:  # noqa: S108 - it is what is looked at
    """Whether vLLM's processes can exchange messages in memory."""
    remedy = "Mount it larger: `mount -o remount,size=1G /dev/shm`; a container: `--shm-size 1g`."
    if not path.is_dir() or not os.access(path, os.W_OK):
        return Finding("shared memory", "failed", f"{path} is not there or not writable", remedy)
    free_bytes = shutil.disk_usage(path).free
    found = f"{free_bytes >> 20} MiB free in {path}"
    if free_bytes < LEAST_SHM_BYTES:
        return Finding("shared memory", "warning", found, remedy)
    return Finding("shared memory", "ok", found)


def proxies() -> Finding:
    """Whether clients on this machine would ask a proxy for 127.0.0.1."""
    named = urllib.request.getproxies_environment()
    asked = sorted(kind for kind in named if kind in ("http", "all"))
    if not asked:
        return Finding("proxies", "ok", "none for HTTP")
    if all(map(urllib.request.proxy_bypass, ("127.0.0.1", "localhost"))):
        return Finding("proxies", "ok", "set, and not asked for this machine")
    return Finding(
        "proxies",
        "warning",
        f"{', '.join(f'{kind}_proxy' for kind in asked)} set, and asked for 127.0.0.1 as well",
        "`export NO_PROXY=127.0.0.1,localhost`, or clients here reach the proxy, not the service.",
    )


def limited(machine: Device, total_bytes: int) -> Device:
    """A machine with no more main memory than its container may take."""
    return dataclasses.replace(machine, ram_bytes=min(machine.ram_bytes, total_bytes))


def without_base(why: str) -> list[Finding]:
    """What stands for memory and disk where the base's sizes are not known."""
    return [not_applicable("memory", why), not_applicable("disk", why)]
