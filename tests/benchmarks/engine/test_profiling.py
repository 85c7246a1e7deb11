"""The breakdown as a table whose columns add up, in the page that has its place."""

from pathlib import Path

import pytest

from benchmarks import _pages
from benchmarks.engine import profiling
from benchmarks.engine.stopwatch import PARTS, STEP

FOUND = {
    case: {"matrices": 0.006, STEP: 0.001, profiling.OUTSIDE: 0.001} for case in profiling.CASES
}


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "performance.md"
    copy.write_text(profiling.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(profiling, "PAGE", copy)
    monkeypatch.setattr(profiling, "measure", lambda *_, **__: FOUND)
    return copy


def test_a_table_has_every_part_and_the_sum() -> None:
    lines = profiling.as_table(FOUND).splitlines()
    assert lines[0].count("|") == len(profiling.CASES) + 2
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines[2 : 4 + len(PARTS)]] == [
        *PARTS,
        profiling.OUTSIDE,
        "**in all**",
    ]
    assert "| matrices | 6.0 ms (75%) |" in profiling.as_table(FOUND)
    assert "| **in all** | 8.0 ms |" in profiling.as_table(FOUND)


def test_a_whole_run_writes_the_page_and_a_quick_one_does_not(page: Path) -> None:
    before = page.read_text()
    figures = profiling.breakdown(page, [], page, quick=True)
    assert page.read_text() == before
    assert figures[0].name == "base at 8, matrices"
    assert figures[0].value == pytest.approx(6.0)
    profiling.breakdown(page, [], page, quick=False)
    assert "| matrices | 6.0 ms (75%) |" in page.read_text()
    assert page.read_text().startswith(before.split("<!--")[0])


def test_the_page_of_the_project_has_a_place_for_it() -> None:
    text = (_pages.DOCS / "performance.md").read_text(encoding="utf-8")
    assert text.count(f"<!-- {profiling.MARK}: begin -->") == 1
    assert text.count(f"<!-- {profiling.MARK}: end -->") == 1
