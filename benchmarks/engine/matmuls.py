"""The matrices of a model alone, in plain torch: `python -m benchmarks.engine.matmuls BASE DTYPE CORES`.

What a decode step cannot be faster than, if nothing but the products with the weights counted.
On a CPU with the cores that are named, on the GPU where none is.
Told by lines `{"rows": R, "steps": N}`, answers `{"step_s": seconds}`.
"""

import json
import os
import sys
import time
from pathlib import Path

import torch

from basemodels.modules import linear_shapes, read_config
from benchmarks._children import own_output, say


def weights_of(base: Path, dtype: torch.dtype, device: str = "cpu") -> list[torch.Tensor]:
    """Random weights of every linear layer and of the output head, each (out, in)."""
    config = read_config(base)
    vocabulary, hidden = config["vocab_size"], config.get("hidden_size") or config["n_embd"]
    assert isinstance(vocabulary, int)  # noqa: S101 - its sizes were read before
    assert isinstance(hidden, int)  # noqa: S101
    shapes = [*linear_shapes(base).values(), (hidden, vocabulary)]
    return [torch.randn(outputs, inputs, device=device).to(dtype) for inputs, outputs in shapes]


def step(weights: list[torch.Tensor], rows: dict[int, torch.Tensor]) -> None:
    """Multiply with each weight once; `rows` are the inputs by their width."""
    for weight in weights:
        torch.nn.functional.linear(rows[weight.shape[1]], weight)


def finish(device: str) -> None:
    """Wait for what a GPU has still to do; a CPU has done it already."""
    if device == "cuda":
        torch.cuda.synchronize()


def main(base: Path, dtype: str, cores: list[int]) -> None:
    """Do what the lines say until they end."""
    answers = own_output()
    device = "cpu" if cores else "cuda"
    if cores:
        os.sched_setaffinity(0, cores)
        torch.set_num_threads(len(cores))
    kind = getattr(torch, dtype)
    weights = weights_of(base, kind, device)
    say(answers, {"ready": True})
    with torch.inference_mode():
        while line := sys.stdin.readline():
            asked = json.loads(line)
            widths = {weight.shape[1] for weight in weights}
            rows = {
                width: torch.randn(asked["rows"], width, device=device).to(kind) for width in widths
            }
            step(weights, rows)
            finish(device)
            started_s = time.monotonic()
            for _ in range(asked["steps"]):
                step(weights, rows)
            finish(device)
            say(answers, {"step_s": (time.monotonic() - started_s) / asked["steps"]})


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
