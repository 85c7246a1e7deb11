"""Killed at random moments, a run goes on to the same result, and no half version ever appears."""

import random
import shutil
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from adapters.store import Store
from tests.training.test_sft import LONG, start, wait_for_step
from tests.training.tiny_base import write_recipe, write_sums
from training import checkpoints
from training.sft import main

KILLS = 3


@pytest.mark.training
def test_a_run_killed_at_random_moments_ends_like_an_unbroken_one(
    tmp_path: Path, tiny_base: Path
) -> None:
    draw = random.Random(7)  # noqa: S311 - moments, not a secret
    rows = write_sums(tmp_path / "rows.csv")
    recipe = write_recipe(tmp_path, tiny_base, rows)
    assert main(["--recipe", str(recipe), *LONG, "--run-dir", str(tmp_path / "unbroken")]) == 0
    run_dir, store = tmp_path / "run", tmp_path / "store"
    for _ in range(KILLS):
        last = checkpoints.latest(run_dir)
        resume = ["--resume"] if last else []
        if not resume:
            shutil.rmtree(run_dir, ignore_errors=True)
        process = start(recipe, *LONG, *resume)
        wait_for_step(run_dir, min(95, (last.step if last else 0) + draw.randint(1, 12)))
        time.sleep(draw.random() * 0.2)
        process.kill()
        process.communicate(timeout=60)
        assert Store(store).versions("sums") == [1]
        assert not list(store.rglob("versions/2*"))
    resume = ["--resume"] if checkpoints.latest(run_dir) else ["--run-dir", str(tmp_path / "anew")]
    assert main(["--recipe", str(recipe), *LONG, *resume]) == 0
    ended = run_dir if resume == ["--resume"] else tmp_path / "anew"
    weights = [
        load_file(folder / "adapter" / "adapter_model.safetensors")
        for folder in (ended, tmp_path / "unbroken")
    ]
    for name, tensor in weights[0].items():
        assert torch.equal(tensor, weights[1][name]), name
