"""A process that is told by lines of JSON what to measure, and answers each with one line of JSON.

Ends with the block that started it, and by itself when its input does.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from pydantic import JsonValue

from benchmarks.errors import BenchmarkError

END_TIMEOUT_S = 30.0
LOG_TAIL_CHARACTERS = 3000
Answer = dict[str, JsonValue]


class Child:
    """One such process; see the module."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process = process
        self._log = log

    def ask(self, question: Mapping[str, object], timeout_s: float) -> Answer:
        """Send one line and wait for the answer.

        Raises:
            BenchmarkError: It ended, or did not answer in time and was ended.
        """
        assert self._process.stdin is not None  # noqa: S101 - `running` gave it one
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        return self.answer(timeout_s)

    def answer(self, timeout_s: float) -> Answer:
        """Wait for one line, which is also how it says that it is ready.

        Raises:
            BenchmarkError: As `ask`.
        """
        assert self._process.stdout is not None  # noqa: S101 - `running` gave it one
        guard = threading.Timer(timeout_s, self._process.kill)
        # When this is interrupted, it must not hold up the end of the process.
        guard.daemon = True
        guard.start()
        try:
            line = self._process.stdout.readline()
        finally:
            guard.cancel()
        if not line:
            said = self._log.read_text(encoding="utf-8", errors="replace")
            raise BenchmarkError(
                f"`{' '.join(map(str, self._process.args))}` gave no answer within "  # type: ignore[arg-type]
                f"{timeout_s:.0f} s, or ended. It said last:\n{said[-LOG_TAIL_CHARACTERS:]}"
            )
        found: Answer = json.loads(line)
        return found


@contextlib.contextmanager
def running(
    module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str]
) -> Iterator[Child]:
    """Run `python -m MODULE` until the block ends, in a session of its own.

    Args:
        module: Ours, which calls `serve_lines`.
        arguments: After the module's name.
        log: Where what it says beside its answers goes.
        environment: All of it.
    """
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, "-W", "ignore", "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
            env=dict(environment),
        )
    try:
        yield Child(process, log)
    finally:
        _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    with contextlib.suppress(BrokenPipeError), contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=END_TIMEOUT_S)
    process.kill()
    process.wait()
    # The session is that process's alone; what is left in it has outlived its parent.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def own_output() -> TextIO:
    """In the child: take standard output for answers alone; what others print goes to the log."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return answers


def say(answers: TextIO, answer: Mapping[str, JsonValue]) -> None:
    """In the child: give one answer."""
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
