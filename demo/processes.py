"""Child processes of the tour: started in sessions of their own, always ended, never orphaned."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import httpx

TERMINATE_TIMEOUT_S = 30.0
READY_TIMEOUT_S = 300.0
SAMPLE_INTERVAL_S = 0.5


class TourError(Exception):
    """A step of the tour failed; the text says which and where its output lies."""


def run_module(module: str, arguments: Sequence[str]) -> None:
    """Run `python -m module` to its end with its output on this terminal.

    Raises:
        TourError: It exited with something other than 0.
    """
    with _child(module, arguments, output=None, leave=False) as process:
        code = process.wait()
    if code != 0:
        command = " ".join(["python -m", module, *arguments])
        raise TourError(f"`{command}` ended with exit code {code}; its message is above.")


@contextlib.contextmanager
def running_server(arguments: Sequence[str], log: Path, *, leave: bool) -> Iterator["Server"]:
    """Run `python -m service` until the block ends and yield where it is.

    Args:
        arguments: Flags of the service without `--port`.
        log: Where its output goes.
        leave: Let it run on when the block ends well.

    Raises:
        TourError: It ended before it was ready, or was not ready within `READY_TIMEOUT_S`.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (
        log.open("wb") as output,
        _child("service", [*arguments, "--port", str(port)], output, leave=leave) as process,
    ):
        _wait_until_ready(url, process, log)
        yield Server(url, process.pid)


class Server(NamedTuple):
    """A running service: its URL and its process id."""

    url: str
    pid: int


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise TourError(f"The service ended with exit code {process.returncode}:\n{tail}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/health/ready", timeout=5.0).status_code == httpx.codes.OK:
                return
        time.sleep(0.2)
    raise TourError(f"The service was not ready after {READY_TIMEOUT_S:.0f} s; see {log}.")


@contextlib.contextmanager
def _child(
    module: str, arguments: Sequence[str], output: object, *, leave: bool
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start `python -m module`; it and its children end with the block, unless left on purpose."""
    process = subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,  # type: ignore[call-overload]  # None or a binary file
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
    )
    left = False
    try:
        yield process
        left = leave
    finally:
        if not left:
            end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process that has a session of its own to end, then end all that is left of the session."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(TERMINATE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    # The session is ours alone; anything left in it is a child that outlived its parent.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def memory_watch() -> Iterator["PeakMemory"]:
    """Sample the memory of this process and all its descendants until the block ends."""
    watch = PeakMemory()
    stop = threading.Event()

    def sample() -> None:
        while not stop.wait(SAMPLE_INTERVAL_S):
            watch.peak_bytes = max(watch.peak_bytes, _tree_memory_bytes(os.getpid()))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        stop.set()
        thread.join()


class PeakMemory:
    """The largest memory seen, in bytes, pages shared between processes counted once."""

    def __init__(self) -> None:
        self.peak_bytes = 0


def _tree_memory_bytes(root: int) -> int:
    """Sum the proportional set sizes of a process and its descendants."""
    parents: dict[int, int] = {}
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            # A process may end between being listed and being read.
            with contextlib.suppress(OSError, IndexError, ValueError):
                stat = (directory / "stat").read_text()
                parents[int(directory.name)] = int(stat.rpartition(")")[2].split()[1])
    tree, grown = {root}, True
    while grown:
        children = {pid for pid, parent in parents.items() if parent in tree} - tree
        tree |= children
        grown = bool(children)
    return sum(map(_proportional_set_bytes, tree))


def _proportional_set_bytes(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
