"""The tour's children end with it, whatever ends it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo.processes import TourError, memory_watch, run_module, running_server

# A parent that runs a server-like module with a child of its own, through our context manager.
PARENT = """
import sys, time
from demo.processes import _child
with _child("family", [sys.argv[1]], output=None, leave=False):
    time.sleep(60)
"""
FAMILY = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for(condition: "object", timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_ctrl_c_leaves_no_process_of_any_generation(tmp_path: Path) -> None:
    (tmp_path / "family.py").write_text(FAMILY)
    pid_file = tmp_path / "grandchild.pid"
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{Path.cwd()}"}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(pid_file)], env=environment, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: pid_file.exists() and pid_file.read_text())
    grandchild = int(pid_file.read_text())
    assert alive(grandchild)
    parent.send_signal(signal.SIGINT)
    parent.wait(30)
    wait_for(lambda: not alive(grandchild))


def test_a_module_that_fails_is_named_with_its_exit_code() -> None:
    with pytest.raises(
        TourError, match=r"`python -m basemodels fetch nothing` ended with exit code 2"
    ):
        run_module("basemodels", ["fetch", "nothing"])


def test_a_server_that_ends_at_once_shows_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    with (
        pytest.raises(TourError, match=r"(?s)ended with exit code 2:.*no-such-base"),
        running_server(["--base", "no-such-base", "--store", str(tmp_path)], log, leave=False),
    ):
        pytest.fail("it cannot have become ready")


def test_memory_of_children_is_counted() -> None:
    with memory_watch() as watch:
        code = "import time; hog = bytearray(200_000_000); time.sleep(2)"
        subprocess.run([sys.executable, "-c", code], check=True)
    assert watch.peak_bytes > 200_000_000
