"""The command line of the tour.

Exit codes: 0 done; 1 a request was lost or answered by the wrong version, or `--check` found a goal
missed; 2 a step failed; 130 stopped by Ctrl-C.
"""

import argparse
import datetime
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from rich.console import Console

from adapters.errors import AdapterError
from demo.processes import TourError
from demo.report import Report
from demo.tour import run_tour


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tour and return its exit code."""
    arguments = _parser().parse_args(argv)
    console = Console()
    signal.signal(signal.SIGTERM, _as_interrupt)
    folder = arguments.folder or Path("runs") / f"demo-{datetime.datetime.now():%Y%m%d-%H%M%S}"  # noqa: DTZ005 - a folder's name
    try:
        folder.mkdir(parents=True)
        found = run_tour(
            folder, setup_seconds=arguments.setup_seconds, keep=arguments.keep, console=console
        )
    except KeyboardInterrupt:
        console.print("\nStopped. No process is left; what was finished lies in", str(folder))
        return 130
    except (TourError, AdapterError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    if arguments.report:
        arguments.report.write_text(found.model_dump_json(indent=2) + "\n", encoding="utf-8")
        console.print(f"report: {arguments.report}")
    missed = _broken(found) + (_missed(found) if arguments.check else [])
    for line in missed:
        print(f"demo: {line}", file=sys.stderr)
    return 1 if missed else 0


def _as_interrupt(_signal: int, _frame: FrameType | None) -> None:
    """End on SIGTERM as on Ctrl-C, so that children end with us."""
    raise KeyboardInterrupt


def _broken(found: Report) -> list[str]:
    """Name the promises that were not kept; these do not depend on how well training went."""
    checks = {
        f"{found.swap.failed} requests failed during the swap, expected 0": found.swap.failed == 0,
        f"{found.swap.wrong_version} answers were of another version than they name, expected 0": (
            found.swap.wrong_version == 0
        ),
    }
    return [line for line, kept in checks.items() if not kept]


def _missed(found: Report) -> list[str]:
    """Name the goals of quality that were missed."""
    checks = {
        f"{found.adapter.executed} of {found.adapter.n} programs executed, expected 97 %": (
            found.adapter.executed >= 0.97 * found.adapter.n
        ),
        f"English, seen templates: {found.adapter.en.seen.share:.1%} right, expected 95 %": (
            found.adapter.en.seen.share >= 0.95
        ),
        f"English, unseen templates: {found.adapter.en.unseen.share:.1%} right, expected 60 %": (
            found.adapter.en.unseen.share >= 0.60
        ),
    }
    return [line for line, reached in checks.items() if not reached]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="The whole way once: fetch a base model, write rows, train two versions of an "
        "adapter, serve one, promote the other under load, ask held-out questions and execute "
        "the answers. About ten minutes on two CPU cores.",
        allow_abbrev=False,
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--keep", action="store_true", help="leave the server running at the end")
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 when a goal of quality is missed"
    )
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="where rows, store and logs go [runs/demo-TIME]"
    )
    parser.add_argument(
        "--setup-seconds", type=float, default=0.0, metavar="S", help="added to the times reported"
    )
    return parser
