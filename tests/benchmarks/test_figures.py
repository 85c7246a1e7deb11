"""A figure reaches its goal, misses it, or has none."""

import pytest

from benchmarks.figures import Figure, at_least, at_most, show


def test_a_limit_itself_is_still_good() -> None:
    assert at_most("a", 2.0, "s", 2.0).ok
    assert not at_most("a", 2.1, "s", 2.0).ok
    assert at_least("a", 2.0, "s", 2.0).ok
    assert not at_least("a", 1.9, "s", 2.0).ok


def test_the_table_says_what_was_reached(capsys: pytest.CaptureFixture[str]) -> None:
    found = [at_most("good", 1.0, "s", 2.0), at_least("bad", 1.0, "s", 2.0), Figure("n", 7.0, "MB")]
    show("store", found, {"cores": 2})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "store, on {'cores': 2}"
    assert [line.split()[0] for line in lines[2:]] == ["good", "bad", "n"]
    assert ["ok" in line for line in lines[2:]] == [True, False, False]
    assert ["MISSED" in line for line in lines[2:]] == [False, True, False]
