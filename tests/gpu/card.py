"""The card that the tests run on: whether there is one, what it is, how much of it is in use.

Must not load torch where no driver is, since every run of the tests asks.
"""

import functools
import importlib.metadata
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What decides how fast and how exact everything here is.
PACKAGES = ("torch", "triton", "vllm", "transformers", "peft", "trl", "bitsandbytes")


@functools.cache
def has_card() -> bool:
    """Whether torch sees a CUDA device."""
    # What NVIDIA's driver shows, and what it shows under Windows' Linux.
    if not any(Path("/dev").glob("nvidia[0-9]*")) and not Path("/dev/dxg").exists():
        return False
    import torch

    return torch.cuda.device_count() > 0


def used_bytes() -> int:
    """Memory of the first card that is in use, by anybody."""
    return int(_asked("memory.used")) << 20


def facts() -> dict[str, str]:
    """The card, its driver, and the versions of what computes on it."""
    return {
        "card": _asked("name"),
        "memory": f"{_asked('memory.total')} MiB",
        "driver": _asked("driver_version"),
        **{package: importlib.metadata.version(package) for package in PACKAGES},
        "commit": _commit(),
    }


def _asked(field: str) -> str:
    query = [f"--query-gpu={field}", "--format=csv,noheader,nounits", "--id=0"]
    return subprocess.check_output(["nvidia-smi", *query], text=True).strip()  # noqa: S607 - the driver's own


def _commit() -> str:
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or f"unknown: {done.stderr.strip()}"
