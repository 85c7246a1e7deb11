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


# The products of a layer in bfloat16, forward and back, each time with another number of tokens.
PRODUCTS = """
import resource, sys
from training.allocator import bound_product_caches
if sys.argv[1] == "bounded":
    bound_product_caches()
import torch
torch.set_num_threads(1)
layer = torch.nn.Linear(256, 1024, dtype=torch.bfloat16)
layer.weight.requires_grad_(False)
def resident_mib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() >> 20
for tokens in range(100, 500):
    x = torch.ones(tokens, 256, dtype=torch.bfloat16, requires_grad=True)
    layer(x).sum().backward()
    if tokens == 120:
        before = resident_mib()
print(resident_mib() - before)
"""


def test_steps_of_ever_other_lengths_do_not_grow_the_process() -> None:
    command = [sys.executable, "-c", PRODUCTS, "bounded"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 200
