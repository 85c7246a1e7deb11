"""Every architecture in turn, each in its own process, as figures with their goals."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping

from benchmarks.errors import BenchmarkError
from benchmarks.figures import Figure

TIMEOUT_S = 600
QUICK = ("llama",)
# One process, quiet and offline.
ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
}
# On a CPU nothing is compiled for a model of a few layers.
EAGER = {"TORCH_COMPILE_DISABLE": "1"}
Conditions = dict[str, dict[str, float]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What this benchmark can be told beside what all can."""
    parser.add_argument("--quick", action="store_true", help=f"{', '.join(QUICK)} alone")


def run(*, quick: bool = False) -> list[Figure]:
    """Compare every architecture under every condition with PEFT; minutes in all.

    Raises:
        BenchmarkError: An engine did not start or died; the text is what it said last.
    """
    # Torch is loaded with it, which the list of benchmarks does not need.
    from benchmarks.parity.models import ARCHITECTURES  # noqa: PLC0415

    figures = []
    for architecture in QUICK if quick else ARCHITECTURES:
        for condition, worst in measure(architecture).items():
            name = f"{architecture}: {condition}"
            note = f"{worst['compared']:.0f} log-probabilities compared"
            figures.append(Figure(name, worst["difference"], "nat", note=note))
            figures.append(Figure(f"{name}, top token", worst["other_top"], "other"))
            effect = worst["least_effect"]
            figures.append(Figure(f"{name}, effect of an adapter", effect, "nat"))
    return figures


def measure(architecture: str) -> Conditions:
    """Run the worker on one architecture in float32 and return what it found.

    Raises:
        BenchmarkError: It ended without an answer.
    """
    return _answer(architecture, "float32", EAGER)[0]


def measure_captured(architecture: str) -> tuple[Conditions, int]:
    """The same on a GPU, in bfloat16 and with captured graphs, which are counted.

    Raises:
        BenchmarkError: It ended without an answer.
    """
    return _answer(architecture, "bfloat16", {})


def _answer(architecture: str, dtype: str, more: Mapping[str, str]) -> tuple[Conditions, int]:
    command = [sys.executable, "-m", "benchmarks.parity.worker", architecture, dtype]
    done = subprocess.run(  # noqa: S603 - fixed words
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
        env={**os.environ, **ENVIRONMENT, **more},
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        last = "\n".join(done.stderr.strip().splitlines()[-15:])
        raise BenchmarkError(
            f"the engine on a tiny {architecture} ended without an answer:\n{last}"
        )
    answer = json.loads(lines[-1])
    return answer["conditions"], answer["captured_graphs"]
