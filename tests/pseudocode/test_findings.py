"""Doubtful lines are named, sound programs are left alone."""

from fractions import Fraction

import pytest

from pseudocode import parse
from pseudocode.findings import CONSTANTS, check, numbers_in


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


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("no number", []),
        ("1,250 and 12,345,678.5", ["1250", "12345678.5"]),
        ("the pairs 1,25 and 3", ["1", "25", "3"]),
        ("20% of 50", ["20", "0.2", "50"]),
        ("小明有３０个苹果，吃了２.５个", ["30", "2.5"]),
        ("3/4 of 8", ["3", "4", "8"]),
        ("room 007.", ["7"]),
    ],
)
def test_numbers_are_found_as_people_write_them(question: str, numbers: list[str]) -> None:
    assert numbers_in(question) == {Fraction(number) for number in numbers}


def test_no_text_of_digits_is_too_long_to_look_at() -> None:
    assert numbers_in("9" * 10_000) == {Fraction(10**10_000 - 1)}


def test_the_constants_are_few() -> None:
    assert len(CONSTANTS) == 16
