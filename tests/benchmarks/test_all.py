"""All benchmarks in one run: what fails is told and stops nobody, what is found is on one page."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import all as everything
from benchmarks import cli, figures
from benchmarks.all import PLANS, Plan
from benchmarks.figures import Figure, Sweep

FOUND = {
    "one": [
        Figure("fast", 1.5, "s", "<= 2 s", ok=True, note="best of 3"),
        *(
            Figure(f"list {at}", at / 1000, "s", sweep=Sweep("list", "versions", at))
            for at in (1, 10, 100)
        ),
    ],
    "two": [Figure("rate", 12345.0, "tokens/s", ">= 20000 tokens/s", ok=False)],
}


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Two benchmarks that have figures and one that fails, without their processes."""
    asked: list[list[str]] = []

    def play(command: list[str], log: Path, limit_s: float) -> str:
        asked.append(command)
        name, target = command[3], Path(command[5])
        log.write_text("it said this\n")
        if name in FOUND:
            target.write_text(figures.as_json(name, FOUND[name], figures.machine()))
            return "exit code 0"
        return "exit code 2"

    monkeypatch.setattr(everything, "_run", play)
    plans = {"one": Plan(60), "broken": Plan(60, can_be_quick=False), "two": Plan(60)}
    monkeypatch.setattr(everything, "PLANS", plans)
    return asked


def test_one_that_fails_is_told_and_the_next_is_run(played: list[list[str]]) -> None:
    found = everything.run(quick=True)
    assert [figure.name for figure in found] == [
        *("one: fast", "one: list 1", "one: list 10", "one: list 100"),
        "broken: gave no figures",
        "two: rate",
    ]
    assert [figure.ok for figure in found] == [True, None, None, None, False, False]
    assert [command[3] for command in played if "--quick" in command] == ["one", "two"]


def test_a_check_names_what_misses_across_all(
    played: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["all", "--quick", "--check"]) == 1
    errors = capsys.readouterr().err
    assert "missed: two: rate: 1.234e+04, goal >= 20000 tokens/s" in errors
    assert "missed: broken: gave no figures" in errors
    assert "missed: one" not in errors


def test_the_page_has_every_figure_its_goal_how_it_grows_and_where_it_was_measured(
    played: list[list[str]], tmp_path: Path
) -> None:
    everything.run(out=tmp_path)
    page = (tmp_path / "benchmarks.md").read_text()
    assert "| fast | 1.5 s | <= 2 s | ok | best of 3 |" in page
    assert "- two, rate: 1.234e+04 tokens/s, goal >= 20000 tokens/s" in page
    assert "- broken: gave no figures" in page
    assert "**It gave no figures**: exit code 2: it said this" in page
    assert (
        "- list, s: 0.001 at 1 versions, 0.1 at 100; 100 times for 100 times, as the power 1.00"
        in page
    )
    assert "![one: versions](images/benchmarks/one-versions.svg)" in page
    picture = (tmp_path / "images" / "benchmarks" / "one-versions.svg").read_text()
    assert "<svg" in picture
    document: dict[str, Any] = json.loads((tmp_path / "benchmarks.json").read_text())
    assert document["commit"]
    assert document["versions"]["torch"]
    assert set(document["benchmarks"]) == {"one", "broken", "two"}
    assert "| processor |" in page


def test_the_same_figures_give_the_same_pictures(played: list[list[str]], tmp_path: Path) -> None:
    for name in ("first", "second"):
        everything.run(out=tmp_path / name)
    drawn = [
        (tmp_path / name / "images" / "benchmarks" / "one-versions.svg").read_text()
        for name in ("first", "second")
    ]
    assert drawn[0] == drawn[1]


def test_a_quick_run_writes_no_page(
    played: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(everything, "DOCS", tmp_path)
    everything.run(quick=True, only=["one"])
    assert list(tmp_path.iterdir()) == []
    everything.run(only=["one"])
    assert (tmp_path / "benchmarks.md").is_file()


def test_a_benchmark_that_takes_too_long_is_ended() -> None:
    found = everything.run_one("store", Plan(0.3), quick=True)
    assert found["failed"].startswith("ended after 0 s")
    assert found["seconds"] < 60


def test_a_command_that_is_refused_is_quoted() -> None:
    found = everything.run_one("nothing", Plan(60, can_be_quick=False), quick=True)
    assert found["failed"].startswith("exit code 2")
    assert "invalid choice: 'nothing'" in found["failed"]


def test_all_take_an_hour_at_most_and_each_exists() -> None:
    assert sum(plan.limit_s for plan in PLANS.values()) <= 3600
    others = {"all", "faults", "soak"}
    assert set(PLANS) | others >= set(cli.names())
    assert set(PLANS) <= set(cli.names())
