"""A checkpoint counts when it is whole, and a run directory belongs to one run."""

from pathlib import Path

import pytest

from training import checkpoints
from training.errors import RunRefused, TrainingError
from training.resuming import open_run_dir


def checkpoint(run_dir: Path, step: int) -> None:
    directory = run_dir / f"checkpoint-{step}"
    directory.mkdir(parents=True)
    (directory / "weights").write_text("x")


def test_the_last_whole_checkpoint_is_found_by_number(tmp_path: Path) -> None:
    assert checkpoints.latest(tmp_path) is None
    for step in (9, 10, 11):
        checkpoint(tmp_path, step)
    assert checkpoints.latest(tmp_path) is None
    checkpoints.complete(tmp_path, 9)
    checkpoints.complete(tmp_path, 10)
    found = checkpoints.latest(tmp_path)
    assert found == checkpoints.Checkpoint(tmp_path / "checkpoint-10", 10)


def test_losses_after_the_checkpoint_are_forgotten_and_a_cut_line_is_no_loss(
    tmp_path: Path,
) -> None:
    log = checkpoints.StepLog(tmp_path, keep=0)
    for step in range(1, 6):
        log.append(step, step / 10)
    with (tmp_path / "steps.jsonl").open("a") as file:
        file.write('{"step": 6, "lo')
    again = checkpoints.StepLog(tmp_path, keep=3)
    assert again.losses == [0.1, 0.2, 0.3]
    again.append(4, 0.7)
    assert checkpoints.StepLog(tmp_path, keep=4).losses == [0.1, 0.2, 0.3, 0.7]


def test_a_log_shorter_than_the_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds 0 steps, expected the 5"):
        checkpoints.StepLog(tmp_path, keep=5)


def test_a_directory_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "adapter"
    checkpoints.replace_directory(target, lambda path: (path / "a").touch())

    def fail(path: Path) -> None:
        (path / "b").write_text("2")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        checkpoints.replace_directory(target, fail)
    assert not (target / "b").exists()


def test_a_run_directory_is_opened_once_and_resumed_with_the_same_settings(tmp_path: Path) -> None:
    run_dir = tmp_path / "new" / "run"
    open_run_dir(run_dir, {"rank": 4, "name": "小"}, resume=False)
    with pytest.raises(RunRefused, match="is not empty"):
        open_run_dir(run_dir, {"rank": 4, "name": "小"}, resume=False)
    with pytest.raises(RunRefused, match="no complete checkpoint"):
        open_run_dir(run_dir, {"rank": 4, "name": "小"}, resume=True)
    checkpoint(run_dir, 3)
    checkpoints.complete(run_dir, 3)
    open_run_dir(run_dir, {"rank": 4, "name": "小"}, resume=True)
    with pytest.raises(RunRefused, match="rank was 4 and is 5"):
        open_run_dir(run_dir, {"rank": 5, "name": "小"}, resume=True)


def test_a_directory_that_is_no_run_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(RunRefused, match=r"recipe\.json cannot be read"):
        open_run_dir(tmp_path, {}, resume=True)


def test_a_run_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunRefused, match="Choose another with --run-dir"):
        open_run_dir(tmp_path / "file" / "run", {}, resume=False)
