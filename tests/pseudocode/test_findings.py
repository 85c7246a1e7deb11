"""Doubtful lines are named, sound programs are left alone."""

import pytest

from pseudocode import parse
from pseudocode.findings import CONSTANTS, check


def found(source: str, question: str | None = None) -> list[tuple[str, int]]:
    return [(finding.code, finding.line) for finding in check(parse(source), question)]


def test_a_sound_program_has_no_findings() -> None:
    source = "cost = 3 * 4.50\nleft = 20 - cost\nreturn left"
    assert found(source, "Tom buys 3 books for $4.50 each and pays with a $20 note.") == []


def test_a_step_that_does_not_reach_the_answer_is_unused() -> None:
    assert found("a = 1 + 1\nb = 2 + 2\nreturn a + 1") == [("unused_step", 2)]


def test_a_step_that_only_unused_steps_use_is_unused() -> None:
    assert found("a = 1 + 1\nb = a + 2\nreturn 3 + 4") == [("unused_step", 1), ("unused_step", 2)]


def test_a_value_that_is_replaced_before_its_use_is_unused() -> None:
    assert found("a = 1 + 1\na = 2 + 2\nreturn a + 1") == [("unused_step", 1)]
    assert found("a = 1 + 1\na = a + 2\nreturn a + 1") == []


@pytest.mark.parametrize(
    "source", ["return 42", "return -(42)", "a = 42\nreturn a", "a = 42\nb = -a\nreturn b"]
)
def test_an_answer_that_nothing_computes_is_named(source: str) -> None:
    last = source.count("\n") + 1
    assert found(source) == [("returns_literal", last)]


@pytest.mark.parametrize(
    "source", ["return 40 + 2", "a = 42\na = a * 1\nreturn a", "a = 42\nreturn abs(a)"]
)
def test_an_answer_that_is_computed_is_not(source: str) -> None:
    assert found(source) == []


def test_a_literal_must_be_in_the_question_or_usual() -> None:
    question = "Tom has 1,250 apples and eats 15."
    assert found("return 1250 - 15", question) == []
    assert found("a = 1251 - 15\nreturn a * 60", question) == [("ungrounded_literal", 1)]
    (finding,) = check(parse("return 1251 - 15"), question)
    assert "1251" in finding.message
    assert found("return 1251 - 15") == []


def test_equal_numbers_are_the_same_however_they_are_written() -> None:
    assert found("return 4.50 * 3.0", "3 at 4.5 each") == []


def test_the_constants_are_few() -> None:
    assert len(CONSTANTS) == 16
