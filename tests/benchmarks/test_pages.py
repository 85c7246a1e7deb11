"""A command writes its table where the marks are and leaves the rest of the page alone."""

from pathlib import Path

import pytest

from benchmarks import _pages
from benchmarks.errors import BenchmarkError


def test_only_what_is_between_the_marks_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n<!-- x: begin -->\nold\n<!-- x: end -->\nB\n")
    for _ in range(2):
        _pages.write_between(page, "x", _pages.table(["a", "b"], [["1", "2"]]))
    assert page.read_text() == (
        "# A\n<!-- x: begin -->\n| a | b |\n| --- | --- |\n| 1 | 2 |\n<!-- x: end -->\nB\n"
    )


@pytest.mark.parametrize("text", ["", "<!-- x: begin -->", "<!-- x: end --> <!-- x: begin -->"])
def test_a_page_without_marks_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(BenchmarkError, match="x: begin"):
        _pages.write_between(page, "x", "new")
    assert page.read_text() == text
