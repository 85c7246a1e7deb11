"""Programs are computed exactly, within limits, and never raise."""

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudocode import Limits, format_number, run


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("total = 5 + 7\nreturn total", "12"),
        ("cost = 3 * 4.50\nleft = 20 - cost\nreturn left", "6.5"),
        ("总数 = 5 * (3 - 1) ** 2\n剩下 = 总数 - 1\nreturn 剩下", "19"),
        ("return 1 / 3", "1/3"),
        ("return 0.1 + 0.2", "0.3"),
        ("return 7 // 2 + 7 % 2", "4"),
        ("return -7 // 2", "-4"),
        ("return -7 % 3", "2"),
        ("return -2 ** 2", "-4"),
        ("return 2 ** -2", "0.25"),
        ("return 2 ** 3 ** 2", "512"),
        ("return 8 / 4 / 2", "1"),
        ("return min(3, 1, 2) + max(3, 9)", "10"),
        ("return abs(-3) + floor(-1/2) + ceil(1/3)", "3"),
        ("return round(2.5) + round(3.5)", "6"),
        ("return 1 ** 100000000000000000000", "1"),
        ("return (-1) ** 100000000000000000001", "-1"),
        ("a = 1\na = a + 1\nreturn a", "2"),
        ("\r\na = 1\r\n\r\n  return a  \r\n", "1"),
    ],
)
def test_answers_are_exact(source: str, answer: str) -> None:
    result = run(source)
    assert result.error is None
    assert result.answer == answer


def test_the_trace_has_one_step_per_line_with_the_text_as_written() -> None:
    result = run("cost = 3*4\n\nreturn 20 - cost")
    steps = [(step.line, step.name, step.value, step.expression) for step in result.trace]
    assert steps == [(1, "cost", "12", "3*4"), (3, "return", "8", "20 - cost")]
    assert result.steps == 2


@pytest.mark.parametrize(
    ("source", "code", "line"),
    [
        ("", "empty", None),
        (" \n\n", "empty", None),
        ("a = 1", "no_return", 1),
        ("return 1\nreturn 2", "text_after_return", 1),
        ("a = 1\nb = = 2\nreturn a", "syntax", 2),
        ("a = 5 return a", "syntax", 1),
        ("a = 1; return a", "syntax", 1),
        ("returna", "syntax", 1),
        ("import os\nreturn 1", "syntax", 1),
        ("return __import__('os')", "syntax", 1),
        ("min = 3\nreturn 1", "reserved_name", 1),
        ("return b", "unknown_name", 1),
        ("a = 1\nreturn a / 0", "division_by_zero", 2),
        ("return 5 // 0", "division_by_zero", 1),
        ("return 5 % 0", "division_by_zero", 1),
        ("return 0 ** -1", "division_by_zero", 1),
        ("return 2 ** 0.5", "bad_exponent", 1),
        ("return 9 ** 9 ** 9", "number_too_long", 1),
        ("return 2 ** 100000000", "number_too_long", 1),
        ("return 0.5 ** 100000000", "number_too_long", 1),
        ("return " + "9" * 1001, "number_too_long", 1),
        ("return " + "(" * 100 + "-" * 100 + "1" + ")" * 100, "too_deep", 1),
        ("return " + "-" * 60_000 + "1", "too_deep", 1),
        ("return 1" + " + 1" * 10_000, "too_deep", 1),
        ("a = 1\n" * 1_000_000, "source_too_long", None),
    ],
)
def test_every_failure_has_its_code_and_line_and_comes_quickly(
    source: str, code: str, line: int | None
) -> None:
    run("return 1")  # the first parse reads the grammar
    started = time.monotonic()
    result = run(source)
    assert time.monotonic() - started < 1.5
    assert result.answer is None
    assert result.value is None
    assert result.error is not None
    assert (result.error.code, result.error.line) == (code, line)
    assert result.error.message.endswith(".")


def test_steps_are_limited() -> None:
    source = "\n".join(["a = 1", *["a = a + 1"] * 20, "return a"])
    assert run(source, Limits(max_steps=20)).answer == "21"
    failed = run(source, Limits(max_steps=19))
    assert failed.error is not None
    assert failed.error.code == "too_many_steps"


def test_time_is_limited() -> None:
    source = "\n".join(["a = 9 ** 900", *["a = a * 7 % 9 ** 901"] * 2000, "return a"])
    failed = run(source, Limits(timeout_s=0.001))
    assert failed.error is not None
    assert failed.error.code == "too_slow"


@given(st.text())
def test_no_text_whatever_raises(text: str) -> None:
    result = run(text)
    assert (result.answer is None) == (result.error is not None)


@given(st.text(alphabet="ab1.0=+-*/%()\n ,returnmix总", max_size=60))
def test_no_text_that_looks_like_a_program_raises(text: str) -> None:
    result = run(text)
    assert (result.answer is None) == (result.error is not None)


SYMBOLS = {"+": "__add__", "-": "__sub__", "*": "__mul__", "/": "__truediv__", "//": "__floordiv__"}
literals = st.decimals(min_value=0, max_value=999, places=2).map(
    lambda value: (str(value), Fraction(value))
)


@st.composite
def expressions(draw: st.DrawFn) -> tuple[str, Fraction | None]:
    """Text of an expression and its value in plain Fraction arithmetic, `None` if undefined."""
    if draw(st.integers(0, 2)) == 0:
        return draw(literals)
    (left, left_value), (right, right_value) = draw(inner), draw(inner)
    symbol = draw(st.sampled_from(sorted(SYMBOLS)))
    text = f"({left} {symbol} {right})"
    if left_value is None or right_value is None or (symbol[0] == "/" and right_value == 0):
        return text, None
    return text, Fraction(getattr(left_value, SYMBOLS[symbol])(right_value))


inner = st.deferred(expressions)


@given(st.lists(expressions(), min_size=1, max_size=4))
def test_random_programs_equal_plain_fractions(parts: list[tuple[str, Fraction | None]]) -> None:
    lines = [f"x{index} = {text}" for index, (text, _) in enumerate(parts)]
    result = run("\n".join([*lines, f"return x{len(parts) - 1}"]))
    if any(value is None for _, value in parts):
        assert result.error is not None
        assert result.error.code == "division_by_zero"
    else:
        assert result.value == parts[-1][1]


@given(st.fractions())
def test_a_formatted_number_reads_back_as_itself(value: Fraction) -> None:
    assert Fraction(format_number(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(7), "7"),
        (Fraction(-11, 4), "-2.75"),
        (Fraction(1, 1000), "0.001"),
        (Fraction(-1, 3), "-1/3"),
        (Fraction(0), "0"),
    ],
)
def test_numbers_print_as_people_write_them(value: Fraction, text: str) -> None:
    assert format_number(value) == text
