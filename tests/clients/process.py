"""The server as a process of its own, for clients that are processes too."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
REAL, FAKE = "service", "tests.service.fake_server"
READY_TIMEOUT_S = 280.0
END_TIMEOUT_S = 20.0


class Server(NamedTuple):
    """A server that is ready."""

    url: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def text(self) -> str:
        """All that it has said."""
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextlib.contextmanager
def serving(
    module: str, flags: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run a server on a free port until the block ends; wait until it is ready."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", module, *flags, "--port", "0"],
            cwd=ROOT,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
        )
    try:
        yield Server(_wait_until_ready(process, log), process, log)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_TIMEOUT_S)
        process.kill()
        process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline_s:
        text = log.read_text(encoding="utf-8", errors="replace")
        found = re.search(r"ready: (http://\S+)/v1", text)
        if found:
            return found[1]
        assert process.poll() is None, text[-3000:]
        time.sleep(0.05)
    raise AssertionError(log.read_text(encoding="utf-8", errors="replace")[-3000:])
