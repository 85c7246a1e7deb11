"""What a machine has to give: a named one, or this one. Asks no GPU library."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from basemodels.errors import BaseModelError
from basemodels.resolving import cache_root

GIB = 1 << 30


@dataclass(frozen=True)
class Device:
    """A machine in bytes.

    Attributes:
        name: What people call it.
        gpu_bytes: Memory of its GPU, 0 without one.
        ram_bytes: Main memory.
        disk_bytes: Disk space for models and runs.
        half_precision: Whether it computes in 16 bit as a matter of course.
    """

    name: str
    gpu_bytes: int
    ram_bytes: int
    disk_bytes: int
    half_precision: bool

    @property
    def model_bytes(self) -> int:
        """The memory that models are computed in."""
        return self.gpu_bytes or self.ram_bytes


# 24,564 MiB is what the driver reports of the card's 24 GiB.
_NAMED = {
    "4090": Device("RTX 4090, 32 GB RAM, 1 TB disk", 24_564 << 20, 32 * GIB, 10**12, True),
}


def device(name: str) -> Device:
    """Return a named machine, or with `auto` the one this runs on.

    Raises:
        BaseModelError: No machine is known by this name.
    """
    if name == "auto":
        return _this_machine()
    if name not in _NAMED:
        raise BaseModelError(
            f"There is no device {name!r} to plan for. Expected auto, for this machine, or one of "
            f"{', '.join(_NAMED)}."
        )
    return _NAMED[name]


def _this_machine() -> Device:
    lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    sizes = dict(line.split(":", 1) for line in lines)
    ram_bytes = int(sizes["MemTotal"].split()[0]) * 1024
    root = cache_root()
    existing = next(path for path in [root, *root.parents] if path.exists())
    free_bytes = shutil.disk_usage(existing).free
    gpu_bytes, gpu = _gpu()
    ram = f"{ram_bytes / GIB:.0f} GiB RAM"
    name = f"this machine: {gpu}, {ram}" if gpu else f"this machine: no GPU, {ram}"
    return Device(name, gpu_bytes, ram_bytes, free_bytes, half_precision=bool(gpu))


def _gpu() -> tuple[int, str]:
    """Return memory and name of the first GPU, or nothing where NVIDIA's tool is not installed."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0, ""
    query = ["--query-gpu=memory.total,name", "--format=csv,noheader,nounits", "--id=0"]
    answer = subprocess.run([tool, *query], capture_output=True, text=True, check=False)  # noqa: S603
    if answer.returncode != 0:
        return 0, ""
    mib, name = answer.stdout.strip().split(", ", 1)
    return int(mib) << 20, name
