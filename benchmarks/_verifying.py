"""Verifies adapters in a process of its own, so that its time and memory are theirs alone.

    python -m benchmarks._verifying BASE DIRECTORY...

prints seconds and findings per directory, and the peak memory of the process.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from adapters import gate

ROOT = Path(__file__).resolve().parents[1]


class Measured(NamedTuple):
    """What verifying one directory took.

    Attributes:
        findings: How many there were.
        wall_s: Seconds on the clock.
        processor_s: Seconds of processor time.
    """

    findings: int
    wall_s: float
    processor_s: float


def measure(base: Path, directories: list[Path]) -> tuple[list[Measured], float]:
    """Verify directories one after another in a fresh process.

    Returns:
        One measurement per directory, and the peak memory of the process in megabytes.
    """
    command = [sys.executable, "-m", "benchmarks._verifying", str(base), *map(str, directories)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    report = json.loads(result.stdout)
    return [Measured(*row) for row in report["spent"]], report["peak_mb"]


def _measure_one(directory: Path, base: Path) -> Measured:
    wall, processor = time.perf_counter(), time.process_time()
    found = gate.check(directory, base)
    return Measured(len(found), time.perf_counter() - wall, time.process_time() - processor)


def _main() -> None:
    base, *directories = map(Path, sys.argv[1:])
    spent = [_measure_one(directory, base) for directory in directories]
    # Not ru_maxrss, which a process inherits from whoever started it.
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak_mb = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    sys.stdout.write(json.dumps({"spent": spent, "peak_mb": peak_mb}))


if __name__ == "__main__":
    _main()
