"""`python -m service doctor [--json] [--url URL] [settings]`: the report, and an exit code.

Exit codes: 0 nothing failed, 1 something did. Works where packages are missing and says so.
"""

import argparse
import dataclasses
import json
import sys
from collections import Counter
from collections.abc import Sequence

from service.doctor import software
from service.doctor.finding import Finding, not_applicable

NAME_WIDTH = 16
STATE_WIDTH = 15


def main(argv: Sequence[str] | None = None) -> int:
    """Examine this machine, print the report and return the exit code."""
    arguments, settings = _parser().parse_known_args(argv)
    found = [*software.check(), *_examine(settings, arguments.url)]
    good = all(finding.state != "failed" for finding in found)
    if arguments.json:
        checks = [dataclasses.asdict(finding) for finding in found]
        print(json.dumps({"ok": good, "checks": checks}, ensure_ascii=False))
    else:
        print("\n".join(_lines(found)))
    return 0 if good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m service doctor",
        description="What on this machine would keep the service from working, and what to do.",
        epilog="Every setting of `python -m service` may be given as well. Exit codes: 0 nothing "
        "failed, 1 something did.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--url", help="a running service to ask, such as http://127.0.0.1:8000")
    return parser


def _examine(settings: Sequence[str], url: str | None) -> list[Finding]:
    try:
        # Needs packages, which may be what is missing.
        from service.doctor import examination  # noqa: PLC0415
    except ModuleNotFoundError as error:
        why = f"{error.name} is not installed for {sys.executable}"
        return [not_applicable("everything else", why)]
    return examination.check(settings, url)


def _lines(found: Sequence[Finding]) -> list[str]:
    lines = []
    for finding in found:
        text = finding.found.replace("\n", "\n" + " " * (STATE_WIDTH + NAME_WIDTH))
        lines.append(f"{finding.state:{STATE_WIDTH}}{finding.name:{NAME_WIDTH}}{text}")
        if finding.remedy:
            lines.append(f"{'':{STATE_WIDTH}}{'→':>{NAME_WIDTH - 1}} {finding.remedy}")
    counts = Counter(finding.state for finding in found)
    return [*lines, ", ".join(f"{count} {state}" for state, count in counts.items())]
