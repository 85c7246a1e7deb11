"""The campaign runs the tests that the page names, counts what they counted, and writes its table there."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import cli, faults
from benchmarks.errors import BenchmarkError
from benchmarks.faults import Counted, Fault

PAGE = """# Page
<!-- campaign: begin -->
| F9 an old row | x | 1 | 2 | 3 | 4 | yes |
<!-- campaign: end -->
| fault | how it is made | what must hold | proof |
|---|---|---|---|
| F7 the engine is killed | *engine*: SIGKILL | it ends | `tests/clients/test_a.py::test_one` |
| F2 a full disk | errors | nothing is half | `tests/adapters/test_b.py::test_two`, `tests/adapters/test_b.py::test_three` |
| client | what it does |
"""
REPORT = """<testsuites><testsuite>
<testcase name="test_one"><properties><property name="tries" value="40"/><property name="lost" value="0"/>
<property name="wrong" value="2"/><property name="recovered_s" value="1.5"/></properties></testcase>
<testcase name="test_two"><failure message="no">no</failure></testcase>
<testcase name="test_three"><skipped/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "reliability.md"
    copy.write_text(PAGE)
    monkeypatch.setattr(faults, "PAGE", copy)
    return copy


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    asked: list[tuple[str, ...]] = []

    def play(tests: Sequence[str], report: Path, *, quick: bool) -> int:
        asked.append(tuple(tests))
        report.write_text(REPORT)
        return 1

    monkeypatch.setattr(faults, "_pytest", play)
    return asked


def test_the_page_is_the_list() -> None:
    assert faults.listed(PAGE) == [
        Fault(
            "F2",
            "a full disk",
            "the store, in processes",
            ("tests/adapters/test_b.py::test_two", "tests/adapters/test_b.py::test_three"),
        ),
        Fault(
            "F7",
            "the engine is killed",
            "the service with vLLM",
            ("tests/clients/test_a.py::test_one",),
        ),
    ]


def test_every_fault_of_the_page_has_tests() -> None:
    found = faults.listed(faults.PAGE.read_text(encoding="utf-8"))
    assert {fault.code for fault in found} == {f"F{number}" for number in range(1, 20)}
    assert all(fault.tests for fault in found)


def test_what_the_tests_counted_is_added_up(ran: list[tuple[str, ...]]) -> None:
    found = faults.campaign(Fault("F7", "x", "y", ("a", "b")), 2, quick=False)
    assert found == Counted(82, 0, 4, [1.5, 1.5], ["test_two", "test_two"])
    assert ran == [("a", "b")] * 2


def test_a_run_without_a_report_did_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "_pytest", lambda *_, **__: 4)
    found = faults.campaign(Fault("F7", "x", "y", ("a",)), 1, quick=False)
    assert found.failed == ["pytest ended with 4"]


def test_a_campaign_writes_its_table_and_a_part_of_one_does_not(
    page: Path, ran: list[tuple[str, ...]]
) -> None:
    before = page.read_text()
    faults.run(quick=True)
    faults.run(times=1, only=["F7"])
    assert page.read_text() == before
    faults.run(times=2)
    assert (
        "| F7 the engine is killed | the service with vLLM | 82 | 0 | 4 | "
        "1.50 s, at most 1.50 s | **no**: test_two |"
    ) in page.read_text()
    assert "an old row" not in page.read_text()
    assert "| F2 a full disk | errors |" in page.read_text()


def test_a_fault_that_did_not_hold_misses_its_goal(
    page: Path, ran: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["faults", "--check", "--only", "F7", "--times", "1"]) == 1
    missed = capsys.readouterr().err
    assert "missed: F7 the engine is killed: did not hold: 1, goal <= 0 tests" in missed
    assert "missed: F7 the engine is killed: wrong: 2" in missed
    assert "missed: F7 the engine is killed: lost" not in missed


@pytest.mark.parametrize("wrong", [{"only": ["F77"]}, {"times": 0}])
def test_what_cannot_be_run_is_refused(page: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(BenchmarkError, match=r"F77|--times is 0"):
        faults.run(**wrong)  # type: ignore[arg-type]


def test_a_test_is_really_run() -> None:
    path = "tests/adapters/test_crashes.py"
    fault = Fault("F2", "x", "y", (f"{path}::test_a_full_disk_is_reported_and_not_only_survived",))
    assert faults.campaign(fault, 1, quick=True) == Counted(made=1)
