"""Numbers are read and written exactly."""

import sys
from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudocode import format_number, run
from pseudocode.numbers import read_number


@given(st.fractions())
def test_a_written_number_reads_back_as_itself(value: Fraction) -> None:
    assert Fraction(format_number(value)) == value


@given(st.integers(), st.integers(0, 30), st.integers(0, 30))
def test_a_decimal_that_terminates_is_written_as_one(top: int, twos: int, fives: int) -> None:
    value = Fraction(top, 2**twos * 5**fives)
    text = format_number(value)
    assert "/" not in text
    assert Fraction(text) == value
    assert not ("." in text and text.endswith("0"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(7), "7"),
        (Fraction(-11, 4), "-2.75"),
        (Fraction(1, 1000), "0.001"),
        (Fraction(-1, 3), "-1/3"),
        (Fraction(1, 6), "1/6"),
        (Fraction(0), "0"),
    ],
)
def test_numbers_are_written_as_people_write_them(value: Fraction, text: str) -> None:
    assert format_number(value) == text


@pytest.fixture
def short_integers() -> Iterator[None]:
    """Let Python convert integers of at most 640 digits, the lowest that can be set."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    yield
    sys.set_int_max_str_digits(before)


@pytest.mark.usefixtures("short_integers")
def test_long_numbers_do_not_depend_on_what_python_lets_convert() -> None:
    nines = "9" * 999
    assert run(f"return {nines}").answer == nines
    assert run(f"return {nines[:-1]}.5").answer == f"{nines[:-1]}.5"
    assert run(f"return {nines} / 7").answer == f"{nines}/7"
    assert read_number("1" + "0" * 5000) == 10**5000
    assert format_number(Fraction(10**5000)) == "1" + "0" * 5000
    assert format_number(Fraction(1, 2**3000)).startswith("0.000")
    assert len(format_number(Fraction(1, 2**3000))) == 3002
