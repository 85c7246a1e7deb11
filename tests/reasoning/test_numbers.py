"""Numbers are read in either language and written exactly."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasoning import same_value, show
from reasoning.numbers import last_place, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("1,234.5", Fraction("1234.5")),
        (".5", Fraction(1, 2)),
        ("1.5e3", 1500),
        ("十二", 12),
        ("二十", 20),
        ("三百零五", 305),
        ("一千零一", 1001),
        ("二〇二四", 2024),
        ("两", 2),
        ("三分之一", Fraction(1, 3)),
        ("百分之二十", Fraction(1, 5)),
        ("百分之12.5", Fraction(1, 8)),
        ("", None),
        ("x", None),
        ("零分之一", None),
        ("9" * 1000, None),
    ],
)
def test_a_number_is_read(text: str, value: Fraction | int | None) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(12), "12"),
        (Fraction(-1, 2), "-0.5"),
        (Fraction(10, 3), "10/3"),
        (Fraction(1, 8), "0.125"),
        (Fraction(0), "0"),
        (Fraction(1, 1000), "0.001"),
    ],
)
def test_a_value_is_written_exactly(value: Fraction, text: str) -> None:
    assert show(value) == text


@given(value=st.fractions(max_denominator=10**6))
def test_what_is_written_has_the_same_value(value: Fraction) -> None:
    assert same_value(show(value), f"{value.numerator}/{value.denominator}")


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [("0.5", "1/2", True), ("50%", "0.5", True), ("12元", "12", True), ("A", "a", True),
     ("12", "13", False), ("A", "B", False), ("", "", True)],
)  # fmt: skip
def test_answers_are_the_same_as_text_or_as_numbers(left: str, right: str, same: bool) -> None:
    assert same_value(left, right) is same


@pytest.mark.parametrize(
    ("text", "place"), [("3.33", Fraction(1, 100)), ("6000", 1000), ("61", 1), ("0", 1), ("", 1)]
)
def test_the_last_place_of_a_rounded_number(text: str, place: Fraction | int) -> None:
    assert last_place(text) == place
