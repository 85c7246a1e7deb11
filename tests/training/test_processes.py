"""Two processes of `accelerate launch` train like one, and one of them publishes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.store import Store
from tests.training.tiny_base import write_recipe, write_sums
from training import processes
from training.sft import main

ROOT = Path(__file__).resolve().parents[2]


def test_a_plain_run_is_one_of_one() -> None:
    import torch

    assert (processes.count(), processes.rank(), processes.is_writer()) == (1, 0, True)
    values = torch.tensor([2.0])
    processes.add_up(values)
    processes.wait()
    assert values.item() == 2.0
    assert processes.agree("x") == "x"
    assert processes.any_of(True)
    assert not processes.any_of(False)


def launch(recipe: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
        "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no",
        "--main_process_port", "0", "-m", "training.sft", "--recipe", str(recipe), *flags,
    ]  # fmt: skip
    environment = os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def losses(run_dir: Path) -> list[float]:
    lines = (run_dir / "steps.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


@pytest.mark.training
def test_two_processes_train_like_one_and_one_of_them_publishes(
    tmp_path: Path, tiny_base: Path
) -> None:
    rows, held_out = write_sums(tmp_path / "rows.csv"), write_sums(tmp_path / "held.csv", start=7)
    recipe = write_recipe(tmp_path, tiny_base, rows)
    evaluated = ["--eval-rows", str(held_out), "--eval-every-steps", "4", "--eval-answers", "2"]
    done = launch(recipe, *evaluated)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Published sums@1") == 1
    assert Store(tmp_path / "store").versions("sums") == [1]
    assert (tmp_path / "run" / "checkpoint-8" / "rng_state_1.pth").exists()
    resumed = launch(recipe, *evaluated, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert Store(tmp_path / "store").versions("sums") == [1, 2]
    assert main(["--recipe", str(recipe), "--run-dir", str(tmp_path / "alone")]) == 0
    assert losses(tmp_path / "run") == pytest.approx(losses(tmp_path / "alone"), abs=1e-4)
