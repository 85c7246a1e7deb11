"""Memory that tensors have left goes back to the system, though smaller ones above it live on."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Blocks of 4 MiB with a small one after each; the threshold has grown past them before.
PROGRAM = """
import resource, sys, torch
from training.allocator import return_large_blocks
if sys.argv[1] == "returned":
    assert return_large_blocks()
first = torch.zeros(8 << 20, dtype=torch.uint8)
del first
big, small = [], []
for _ in range(64):
    big.append(torch.ones(4 << 20, dtype=torch.uint8))
    small.append(torch.ones(64 << 10, dtype=torch.uint8))
big.clear()
with open("/proc/self/statm") as file:
    print(int(file.read().split()[1]) * resource.getpagesize() >> 20)
"""


def resident_mib(how: str) -> int:
    command = [sys.executable, "-c", PROGRAM, how]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_what_large_tensors_held_is_free_at_once() -> None:
    assert resident_mib("returned") < resident_mib("kept") - 200
