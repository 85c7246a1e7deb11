"""What the check of training rows costs: files of a hundred rows to a million, by the command itself."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks._pages import ROOT
from benchmarks.errors import BenchmarkError
from benchmarks.figures import Figure, Sweep
from training.row_writing import write_rows

COUNTS = (100, 1000, 10_000, 100_000, 1_000_000)
QUICK_COUNTS = (100, 1000)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What this benchmark can be told beside what all can."""
    parser.add_argument("--quick", action="store_true", help="a thousand rows at most")


def run(*, quick: bool = False) -> list[Figure]:
    """Check files of generated rows, in a directory that is removed afterwards.

    Raises:
        BenchmarkError: The check refused rows that are right.
    """
    with tempfile.TemporaryDirectory(prefix="loradock-rows-") as name:
        return sweep(Path(name), QUICK_COUNTS if quick else COUNTS)


def sweep(place: Path, counts: Sequence[int]) -> list[Figure]:
    """One figure for each number of rows."""
    found = []
    for count in counts:
        path = place / "rows.csv"
        rows = [(f"What is {n} and {n % 97}?", f"{n + n % 97}") for n in range(count)]
        write_rows(path, ("prompt", "output"), rows)
        wall_s, processor_s = _check(path)
        note = f"with start-up, {processor_s:.1f} s of processor time"
        at = Sweep("python -m training.data check", "rows", count)
        found.append(Figure(f"check {count:,} rows", wall_s, "s", note=note, sweep=at))
    return found


def _check(path: Path) -> tuple[float, float]:
    """Seconds by the clock and of processor time."""
    before, started_s = os.times(), time.monotonic()
    command = [sys.executable, "-m", "training.data", "check", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise BenchmarkError(f"Right rows were refused, which is a fault:\n{done.stdout}")
    after = os.times()
    spent = after.children_user + after.children_system
    return time.monotonic() - started_s, spent - before.children_user - before.children_system
