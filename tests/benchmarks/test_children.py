"""A child answers line by line; one that fails or hangs is told from one that measures."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks._children import running
from benchmarks.errors import BenchmarkError

MODULE = "tests.benchmarks.echo_child"


def test_a_child_answers_each_question_and_ends_with_the_block(tmp_path: Path) -> None:
    with running(MODULE, [], tmp_path / "log", os.environ) as child:
        assert child.answer(30) == {"ready": True}
        assert child.ask({"n": 1}, 30) == {"n": 1}
        assert child.ask({"n": 2}, 30) == {"n": 2}
        pid = child._process.pid
    assert "not an answer" in (tmp_path / "log").read_text()
    assert not Path(f"/proc/{pid}").exists()


def test_a_child_that_fails_is_quoted(tmp_path: Path) -> None:
    with running(MODULE, [], tmp_path / "log", os.environ) as child:
        child.answer(30)
        with pytest.raises(BenchmarkError, match="the reason"):
            child.ask({"fail": True}, 30)


def test_a_child_that_hangs_is_ended(tmp_path: Path) -> None:
    with running(MODULE, [], tmp_path / "log", os.environ) as child:
        child.answer(30)
        with pytest.raises(BenchmarkError, match="no answer within 0 s"):
            child.ask({"sleep": True}, 0.2)


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
from benchmarks import _children

_children.END_TIMEOUT_S = 1.0
signal.signal(signal.SIGTERM, signal.default_int_handler)
with _children.running("tests.benchmarks.echo_child", [], Path(sys.argv[1]), os.environ) as child:
    child.answer(30)
    print(child._process.pid, flush=True)
    child.ask({"sleep": True}, 600)
"""


def test_an_interrupted_measurement_ends_at_once_and_its_child_with_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path / "log")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.terminate()
        _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
    assert not Path(f"/proc/{child}").exists()
