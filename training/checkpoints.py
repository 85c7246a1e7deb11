"""What a run keeps in its directory so that it can go on after it was stopped or killed.

A checkpoint counts once its marker is written, so one that was cut short is never resumed from.
"""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from training.errors import TrainingError

MARKER = "complete"


class Checkpoint(NamedTuple):
    """A complete checkpoint and the number of steps it stands for."""

    path: Path
    step: int


def complete(run_dir: Path, step: int) -> None:
    """Mark the checkpoint of a step as whole."""
    directory = run_dir / f"checkpoint-{step}"
    for path in directory.iterdir():
        _sync(path)
    (directory / MARKER).touch()
    _sync(directory)


def latest(run_dir: Path) -> Checkpoint | None:
    """Find the last whole checkpoint."""
    found = [
        Checkpoint(path.parent, int(match[1]))
        for path in run_dir.glob(f"checkpoint-*/{MARKER}")
        if (match := re.fullmatch(r"checkpoint-(\d+)", path.parent.name))
    ]
    return max(found, key=lambda checkpoint: checkpoint.step, default=None)


def replace_directory(target: Path, write: Callable[[Path], None]) -> Path:
    """Write a directory under another name and put it in place when it is whole."""
    partial = target.with_name(target.name + ".partial")
    for path in (partial, target):
        shutil.rmtree(path, ignore_errors=True)
    partial.mkdir(parents=True)
    write(partial)
    partial.rename(target)
    return target


class StepLog:
    """The loss of every step, in `steps.jsonl`; steps after the checkpoint resumed from are forgotten.

    Args:
        run_dir: Where the file is.
        keep: Steps that stand.
        writes: Whether this process writes the file, rather than another of the same run.
    """

    def __init__(self, run_dir: Path, *, keep: int, writes: bool = True) -> None:
        self._path = run_dir / "steps.jsonl"
        self._writes = writes
        self.losses = self._read()[:keep]
        if len(self.losses) < keep:
            raise TrainingError(
                f"{self._path} holds {len(self.losses)} steps, expected the {keep} before the "
                "checkpoint. The run directory is damaged; start again in another one."
            )
        if writes:
            lines = (self._line(step, loss) for step, loss in enumerate(self.losses, 1))
            self._path.write_text("".join(lines), encoding="utf-8")

    def append(self, step: int, loss: float) -> None:
        """Note one step."""
        self.losses.append(loss)
        if not self._writes:
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.write(self._line(step, loss))

    def _read(self) -> list[float]:
        if not self._path.exists():
            return []
        losses = []
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                losses.append(float(json.loads(line)["loss"]))
            except ValueError:
                # A killed process may leave the last line unfinished.
                break
        return losses

    @staticmethod
    def _line(step: int, loss: float) -> str:
        return json.dumps({"step": step, "loss": loss}) + "\n"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
