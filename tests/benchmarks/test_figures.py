"""Figures are shown to people and kept for programs."""

import json

import pytest

from benchmarks.figures import Figure, Sweep, as_json, read, show


def test_a_document_gives_back_the_figures_it_was_made_of() -> None:
    sweep = Sweep("list", "versions", 10)
    found = [Figure("good", 1.0, "s", "<= 2 s", ok=True, note="n", sweep=sweep), Figure("n", 7, "")]
    assert read(json.loads(as_json("store", found, {}))) == found


def test_the_table_says_what_was_reached(capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        Figure("good", 1.0, "s", "<= 2 s", ok=True),
        Figure("bad", 1.0, "s", ">= 2 s", ok=False),
        Figure("n", 7.0, "MB"),
    ]
    show("store", found, {"cores": 2})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "store, on {'cores': 2}"
    assert [line.split()[0] for line in lines[2:]] == ["good", "bad", "n"]
    assert ["ok" in line for line in lines[2:]] == [True, False, False]
    assert ["MISSED" in line for line in lines[2:]] == [False, True, False]
