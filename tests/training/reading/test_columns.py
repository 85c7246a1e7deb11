"""Columns are found by the names given, by their usual names, or nearly so."""

import pytest

from training.errors import RowsRefused
from training.reading.columns import Column, find_columns, parse_columns

REQUIRED: tuple[Column, ...] = ("prompt", "output")


def test_a_mapping_is_read() -> None:
    assert parse_columns("prompt=question, output=a=b") == {"prompt": "question", "output": "a=b"}


@pytest.mark.parametrize("text", ["", "question", "promt=a", "prompt=", "prompt=a,", "=a"])
def test_a_mapping_that_is_unclear_is_refused_with_what_is_known(text: str) -> None:
    with pytest.raises(ValueError, match="known are prompt, output, answer, group"):
        parse_columns(text)


def test_usual_names_need_no_mapping() -> None:
    found = find_columns(["prompt", "output", "gold", "x"], {}, REQUIRED)
    assert found.names == {"prompt": "prompt", "output": "output", "answer": "gold"}


def test_a_column_asked_for_as_output_is_not_taken_for_the_gold_answer() -> None:
    found = find_columns(
        ["question", "answer"], {"prompt": "question", "output": "answer"}, REQUIRED
    )
    assert found.names == {"prompt": "question", "output": "answer"}


def test_other_letters_are_accepted_and_said() -> None:
    found = find_columns(["Prompt", "OUTPUT"], {}, REQUIRED)
    assert found.names == {"prompt": "Prompt", "output": "OUTPUT"}
    assert [problem.code for problem in found.problems] == ["column_name"] * 2


def test_a_missing_column_suggests_the_nearest() -> None:
    found = find_columns(["question", "solution"], {"prompt": "questions"}, REQUIRED)
    assert [problem.code for problem in found.problems] == ["missing_column"] * 2
    assert "Did you mean 'question'?" in found.problems[0].message
    assert "--columns prompt=question" in found.problems[0].message


def test_a_column_that_was_asked_for_must_be_there_even_if_optional() -> None:
    found = find_columns(["prompt", "output"], {"group": "story"}, REQUIRED)
    assert [problem.message for problem in found.problems if "'story'" in problem.message]


def test_one_column_cannot_be_two() -> None:
    with pytest.raises(RowsRefused, match="twice"):
        find_columns(["a"], {"prompt": "a", "output": "a"}, REQUIRED)


@pytest.mark.parametrize(
    ("column", "there"), [("prompt", "question"), ("output", "response"), ("output", "answer")]
)
def test_what_others_call_it_is_suggested(column: Column, there: str) -> None:
    found = find_columns([there, "x"], {}, (column,))
    assert f"Did you mean '{there}'? Say --columns {column}={there}" in found.problems[0].message
