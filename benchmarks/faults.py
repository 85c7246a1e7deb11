"""The fault campaign: every fault of `docs/reliability.md` made again and again by the tests that page names.

The page is the list: a fault has a row there with its tests, which make it on the real service where
that can be and say what they counted (`record_property`: tries, lost, wrong, recovered_s).
"""

import argparse
import contextlib
import importlib.util
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import parse

from benchmarks import _pages
from benchmarks.errors import BenchmarkError
from benchmarks.figures import Figure

PAGE, MARK = _pages.DOCS / "reliability.md", "campaign"
TIMES, TIMEOUT_S, END_TIMEOUT_S = 3, 1200.0, 60.0
# As `timeout` ends a command whose time is over.
TIME_OVER = 124
HEAD = ("fault", "on", "made", "lost", "wrong", "recovered in", "held")
# A row of the page: the fault's number, what it is, how it is made, what must hold, its tests.
ROW = re.compile(r"^\| (F\d+) ([^|]+?) \| ([^|]+) \|[^|]+\| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py::\w+)`")


class Fault(NamedTuple):
    """One row of the page.

    Attributes:
        code: "F7".
        what: In words.
        on: What the tests run it on.
        tests: Their names for pytest.
    """

    code: str
    what: str
    on: str
    tests: tuple[str, ...]


@dataclass
class Counted:
    """What came of all runs of one fault.

    Attributes:
        made: How often the fault was made.
        lost: Requests or changes that got neither an answer nor an error; None: nobody counted.
        wrong: Answers by another version, or changes that are not what was asked for.
        recovered_s: Until all was as before, each time that it was measured.
        failed: Tests that did not hold, by name.
    """

    made: int = 0
    lost: int | None = None
    wrong: int | None = None
    recovered_s: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def add(self, properties: Mapping[str, str]) -> None:
        """Count one test that was run."""
        self.made += int(properties.get("tries", 1))
        if "lost" in properties:
            self.lost = (self.lost or 0) + int(properties["lost"])
        if "wrong" in properties:
            self.wrong = (self.wrong or 0) + int(properties["wrong"])
        if "recovered_s" in properties:
            self.recovered_s.append(float(properties["recovered_s"]))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What this benchmark can be told beside what all can."""
    parser.add_argument("--times", type=int, default=TIMES, help=f"runs of each [{TIMES}]")
    parser.add_argument("--only", nargs="+", metavar="F7", help="these faults; no page is written")
    parser.add_argument(
        "--quick", action="store_true", help="once, without those that start vLLM; no page"
    )


def run(*, times: int = TIMES, only: list[str] | None = None, quick: bool = False) -> list[Figure]:
    """Run the campaign and write its table into the page.

    Raises:
        BenchmarkError: pytest is not installed, a fault is not on the page, or nothing is to be run.
    """
    if importlib.util.find_spec("pytest") is None:
        raise BenchmarkError(
            "The faults are made by the tests, and pytest is not installed. Run scripts/setup --dev."
        )
    if times < 1:
        raise BenchmarkError(f"--times is {times}, expected 1 or more. Say how often each is run.")
    faults = chosen(listed(PAGE.read_text(encoding="utf-8")), only)
    counted: list[tuple[Fault, Counted]] = []
    for fault in faults:
        sys.stderr.write(f"{fault.code} {fault.what}\n")
        counted.append((fault, campaign(fault, 1 if quick else times, quick=quick)))
    if not quick and only is None:
        _pages.write_between(PAGE, MARK, as_table(counted))
    return [figure for fault, found in counted for figure in figures(fault, found)]


def listed(text: str) -> list[Fault]:
    """The faults that the page lists, in the order of their numbers."""
    found = [
        Fault(code, what, _on(how, tests), tuple(TEST.findall(tests)))
        for code, what, how, tests in ROW.findall(text)
    ]
    return sorted(found, key=lambda fault: int(fault.code[1:]))


def _on(how: str, tests: str) -> str:
    if "*engine*" in how:
        return "the service with vLLM"
    if "*engine*" in tests:
        return "the service, fake engine and vLLM"
    service = "tests/service/" in tests or "tests/clients/" in tests
    return "the service, fake engine" if service else "the store, in processes"


def chosen(faults: list[Fault], only: list[str] | None) -> list[Fault]:
    """Those of some numbers.

    Raises:
        BenchmarkError: The page has none of that number.
    """
    unknown = sorted({*(only or [])} - {fault.code for fault in faults})
    if unknown:
        raise BenchmarkError(f"There is no fault {unknown[0]}; {PAGE} lists F1 to F19.")
    return [fault for fault in faults if only is None or fault.code in only]


def campaign(fault: Fault, times: int, *, quick: bool) -> Counted:
    """Run the tests of a fault so many times; one that fails does not stop the others."""
    counted = Counted()
    for _ in range(times):
        with tempfile.TemporaryDirectory(prefix="loradock-faults-") as folder:
            report = Path(folder) / "report.xml"
            code = _pytest(fault.tests, report, quick=quick)
            if not report.is_file():
                counted.failed.append(f"pytest ended with {code}")
                continue
            for name, failed, properties in read(report):
                counted.add(properties)
                counted.failed += [name] if failed else []
    return counted


def _pytest(tests: Sequence[str], report: Path, *, quick: bool) -> int:
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        # The form that keeps what tests count.
        *("-o", "junit_family=xunit1", f"--junitxml={report}"),
        *(("-m", "not engine") if quick else ()),
        *tests,
    ]
    with subprocess.Popen(  # noqa: S603 - our own tests, by names of our own page
        command, cwd=_pages.ROOT, stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            return process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            # First as by Ctrl-C, so that fixtures end the servers they have started.
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_TIMEOUT_S)
            return TIME_OVER
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def read(report: Path) -> Iterator[tuple[str, bool, dict[str, str]]]:
    """Name, whether it failed, and what it counted, of each test that was run."""
    for case in parse(report).iter("testcase"):  # noqa: S314 - pytest has just written it
        if case.find("skipped") is not None:
            continue
        failed = case.find("failure") is not None or case.find("error") is not None
        counted = {one.attrib["name"]: one.attrib["value"] for one in case.iter("property")}
        yield case.attrib["name"], failed, counted


def figures(fault: Fault, found: Counted) -> Iterator[Figure]:
    """The figures of one fault; only what was counted has one."""
    name, note = f"{fault.code} {fault.what}", fault.on
    yield Figure(f"{name}: did not hold", len(found.failed), "tests", note=", ".join(found.failed))
    yield Figure(f"{name}: made", found.made, "times", note=note)
    if found.lost is not None:
        yield Figure(f"{name}: lost", found.lost, "", note=note)
    if found.wrong is not None:
        yield Figure(f"{name}: wrong", found.wrong, "", note=note)
    if found.recovered_s:
        longest = f"median of {len(found.recovered_s)}, longest {max(found.recovered_s):.2f} s"
        median_s = statistics.median(found.recovered_s)
        yield Figure(f"{name}: recovered in", median_s, "s", note=longest)


def as_table(counted: Sequence[tuple[Fault, Counted]]) -> str:
    """One row for each fault."""
    return _pages.table(HEAD, [_row(fault, found) for fault, found in counted])


def _row(fault: Fault, found: Counted) -> list[str]:
    recovered = "-"
    if found.recovered_s:
        recovered = (
            f"{statistics.median(found.recovered_s):.2f} s, at most {max(found.recovered_s):.2f} s"
        )
    held = "yes" if not found.failed else f"**no**: {', '.join(sorted(set(found.failed)))}"
    lost, wrong = ("-" if count is None else str(count) for count in (found.lost, found.wrong))
    made = f"{found.made:,}" if found.made else "not run"
    return [f"{fault.code} {fault.what}", fault.on, made, lost, wrong, recovered, held]
