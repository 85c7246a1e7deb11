"""Each part's own time is counted once, however deep the calls lie."""

import itertools
import subprocess
import sys

import pytest

from benchmarks.engine.stopwatch import Stopwatch


def test_a_part_is_counted_without_the_parts_it_calls() -> None:
    ticks = itertools.count()
    watch = Stopwatch(clock=lambda: float(next(ticks)))
    inner = watch.timed("inner", lambda: None)

    def body() -> str:
        inner()
        inner()
        return "answer"

    assert watch.timed("outer", body)() == "answer"
    # Six readings of a clock that goes on by one: five seconds in all, one in each inner call.
    assert watch.seconds == {"inner": 2.0, "outer": 3.0}


def test_a_call_that_fails_is_counted_too() -> None:
    ticks = itertools.count()
    watch = Stopwatch(clock=lambda: float(next(ticks)))

    def fail() -> None:
        raise ValueError

    for _ in range(2):
        with pytest.raises(ValueError):  # noqa: PT011
            watch.timed("part", fail)()
    assert watch.seconds == {"part": 2.0}


@pytest.mark.engine
def test_every_function_that_is_watched_exists_in_vllm() -> None:
    code = "from benchmarks.engine.stopwatch import Stopwatch; Stopwatch().watch()"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
