"""What grows is told from what only moves."""

import os
import random
import subprocess
import sys

import pytest

from benchmarks._resources import below, held
from benchmarks._trends import slope


def test_a_line_without_noise_is_found_exactly() -> None:
    found = slope([(at, 3.0 + 2.0 * at) for at in (0.0, 1.0, 5.0)])
    assert found == pytest.approx((2.0, 2.0, 2.0))
    assert not found.flat


def test_what_does_not_change_is_flat() -> None:
    found = slope([(float(at), 7.0) for at in range(5)])
    assert found == (0.0, 0.0, 0.0)
    assert found.flat


def test_the_interval_holds_the_slope_in_about_19_of_20_cases() -> None:
    chance = random.Random(1)  # noqa: S311
    hits = 0
    for _ in range(400):
        points = [(float(at), 0.5 * at + chance.gauss(0, 3)) for at in range(60)]
        found = slope(points)
        hits += found.low <= 0.5 <= found.high
    assert 0.91 < hits / 400 < 0.98


def test_what_a_process_and_its_children_hold_is_counted() -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "block = bytearray(64 << 20)\n"
        "print('up', flush=True)\n"
        "sys.stdin.read()\n"
        "child.kill()\n"
        "child.wait()"
    )
    alone = held(os.getpid())
    assert alone.threads >= 1
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        assert len(below(process.pid)) == 2
        found = held(process.pid)
        assert found.memory_bytes > 64 << 20
        assert found.handles >= 6
        assert found.threads >= 2
        process.communicate("")
