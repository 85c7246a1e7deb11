"""Every architecture in turn, each in its own process, as figures with their goals."""

import json
import os
import subprocess
import sys

from benchmarks.figures import Figure, at_least, at_most

LIMIT = 1e-3
TIMEOUT_S = 600
# One process, quiet, offline, and nothing compiled for a model of a few layers.
ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
    "TORCH_COMPILE_DISABLE": "1",
}


def run(only: list[str] | None = None) -> list[Figure]:
    """Compare every architecture under every condition with PEFT; minutes in all.

    Raises:
        RuntimeError: An engine did not start or died; the text is what it said last.
    """
    # Torch is loaded with it, which the list of benchmarks does not need.
    from benchmarks.parity.models import ARCHITECTURES  # noqa: PLC0415

    figures = []
    for architecture in only or ARCHITECTURES:
        for condition, worst in measure(architecture).items():
            name = f"{architecture}: {condition}"
            note = f"{worst['compared']:.0f} log-probabilities compared"
            figures.append(at_most(name, worst["difference"], "nat", LIMIT, note))
            figures.append(at_most(f"{name}, top token", worst["other_top"], "other", 0))
            # A comparison in which adapters do nothing would prove nothing.
            effect = worst["least_effect"]
            figures.append(at_least(f"{name}, effect of an adapter", effect, "nat", 10 * LIMIT))
    return figures


def measure(architecture: str) -> dict[str, dict[str, float]]:
    """Run the worker on one architecture and return what it printed.

    Raises:
        RuntimeError: It ended without an answer.
    """
    command = [sys.executable, "-m", "benchmarks.parity.worker", architecture]
    done = subprocess.run(  # noqa: S603 - fixed words
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
        env={**os.environ, **ENVIRONMENT},
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        last = "\n".join(done.stderr.strip().splitlines()[-15:])
        raise RuntimeError(f"the engine on a tiny {architecture} ended without an answer:\n{last}")
    answer: dict[str, dict[str, float]] = json.loads(lines[-1])
    return answer
