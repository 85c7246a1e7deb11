"""Run a Python program that nobody vouches for: screened, in a process of its own, under limits.

The process has an empty environment, no site packages, no files it could write, and bounds on time,
memory and instructions. It never sees this process's objects: JSON goes in and JSON comes out.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from pseudocode.evolution.screening import BUILTINS, screen

INSIDE = Path(__file__).with_name("inside.py")
MAX_ANSWER_BYTES = 4 << 20


@dataclass(frozen=True)
class Bounds:
    """What one run may use; `max_instructions` holds for each case, the rest for all together."""

    timeout_s: float = 20.0
    cpu_s: int = 15
    memory_mib: int = 512
    max_instructions: int = 2_000_000


@dataclass(frozen=True)
class CaseRun:
    """One call: what it returned and cost, or why there is nothing.

    Attributes:
        result: What the program returned.
        instructions: Instructions of the interpreter, which the program cannot hide.
        operations: What the program itself counted.
        error: Why it failed, or `None`.
    """

    result: JsonValue = None
    instructions: int = 0
    operations: int = 0
    error: str | None = None


class ProgramRefused(ValueError):  # noqa: N818 - the name says what happened
    """A program was not run; the message says why."""


def run(
    source: str,
    entry: str,
    cases: Sequence[Sequence[JsonValue]],
    bounds: Bounds = Bounds(),
) -> list[CaseRun]:
    """Call a program once for each case; a counter is passed as the last argument.

    Args:
        source: Function definitions.
        entry: The function to call.
        cases: The arguments of each call, without the counter.
        bounds: What the run may use.

    Raises:
        ProgramRefused: The program is none that may be run.
    """
    faults = screen(source, entry)
    if faults:
        raise ProgramRefused("; ".join(faults[:5]))
    with tempfile.TemporaryDirectory(prefix="program-") as folder:
        path = Path(folder) / "program.py"
        path.write_text(source, encoding="utf-8")
        request = {
            "path": str(path),
            "entry": entry,
            "cases": [list(arguments) for arguments in cases],
            "builtins": sorted(BUILTINS),
            "memory_mib": bounds.memory_mib,
            "cpu_s": bounds.cpu_s,
            "max_instructions": bounds.max_instructions,
        }
        return _answers(json.dumps(request), folder, len(cases), bounds)


def _answers(request: str, folder: str, expected: int, bounds: Bounds) -> list[CaseRun]:
    command = [sys.executable, "-I", "-S", "-B", str(INSIDE)]
    try:
        done = subprocess.run(  # noqa: S603 - our own script; the program is data to it
            command,
            input=request.encode(),
            capture_output=True,
            timeout=bounds.timeout_s,
            cwd=folder,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [CaseRun(error=f"no answer within {bounds.timeout_s:g} s")] * expected
    if done.returncode != 0:
        reason = "out of time or memory" if done.returncode < 0 else "it ended with an error"
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
        return [CaseRun(error=f"{reason} ({last or done.returncode})")] * expected
    if len(done.stdout) > MAX_ANSWER_BYTES:
        return [CaseRun(error=f"a result above {MAX_ANSWER_BYTES} bytes")] * expected
    return [CaseRun(**answer) for answer in json.loads(done.stdout)]
