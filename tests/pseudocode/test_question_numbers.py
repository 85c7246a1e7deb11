"""Which numbers a question gives, however it writes them."""

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudocode.question_numbers import given_numbers, gives_numbers, literals_in

# A server reads questions between others' tokens. Ten times what the slowest takes.
READING_LIMIT_S = 0.6
NUMERALS = "零一二两三四五六七八九十百千万亿半分之点成折打0123456789.,/% "


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("no number", []),
        ("1,250 and 12,345,678.5", ["1250", "12345678.5"]),
        ("the values 1,25 and 3", ["1", "25", "3"]),
        ("20% of 50", ["20", "0.2", "0.8", "1.2", "50"]),
        ("小明有３０个苹果，吃了２.５个", ["30", "2.5"]),
        ("3/4 of 8", ["3", "4", "0.75", "8"]),
        ("room 007.", ["7"]),
    ],
)
def test_numbers_are_found_as_people_write_them(question: str, numbers: list[str]) -> None:
    assert given_numbers(question) == {Fraction(number) for number in numbers}


def test_no_text_of_digits_is_too_long_to_look_at() -> None:
    assert given_numbers("9" * 10_000) == {Fraction(10**10_000 - 1)}


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("twenty-five pens", ["25"]),
        ("two hundred and fifty-three pens", ["253", "2", "100"]),
        ("a hundred pens, five thousand pencils", ["100", "5000", "5", "1000"]),
        ("five, two or nine", ["5", "2", "9"]),
        ("three dozen eggs", ["3", "12", "36"]),
        ("half of them", ["2", "0.5"]),
        ("two thirds of them", ["2", "3", "1/3", "2/3"]),
        ("one and a half hours", ["1", "2", "0.5", "1.5"]),
        ("twice or three times", ["2", "3"]),
        ("she doubled it, he tripled it", ["2", "3"]),
        ("2½ cups", ["2", "1", "0.5", "2.5"]),
        ("3 million people, 2.5 thousand cars", ["3", "3000000", "1000000", "2.5", "2500", "1000"]),
        ("20 percent", ["20", "0.2", "0.8", "1.2"]),
        ("twenty percent", ["20", "0.2", "0.8", "1.2"]),
        ("five two", ["5", "2"]),
        ("a quarter and a dime", ["4", "25", "0.25", "10", "0.1"]),
        ("a stand of ants, and then a van", []),
    ],
)
def test_english_words_are_read(question: str, numbers: list[str]) -> None:
    assert given_numbers(question, "en") == {Fraction(number) for number in numbers}


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("二十五支笔", ["25"]),
        ("一百零三支,两千三百支", ["103", "2300"]),
        ("十二和二百", ["12", "200"]),
        ("三分之二", ["3", "2", "2/3"]),
        ("百分之二十", ["100", "20", "0.2"]),
        ("3万人和2.5亿元", ["3", "30000", "10000", "2.5", "250000000", "100000000"]),
        ("两倍", ["2"]),
        ("卖出一半", ["1", "1.5", "2", "0.5"]),
        ("打八折,打八五折", ["8", "80", "0.8", "85", "0.85"]),
        ("增产三成", ["3", "30", "0.3"]),
        ("一打鸡蛋", ["1", "12"]),
        ("三点五米", ["3.5"]),
        ("三双鞋,五对兔", ["3", "6", "5", "10", "2"]),
        ("三个半小时", ["3", "3.5"]),
        ("百分之一百二十", ["1.2", "2.2"]),
        ("2个半小时", ["2", "2.5", "0.5"]),
        ("没有数", []),
    ],
)
def test_chinese_words_are_read(question: str, numbers: list[str]) -> None:
    assert given_numbers(question, "zh") >= {Fraction(number) for number in numbers}
    assert bool(given_numbers(question, "zh")) == bool(numbers)


def test_words_of_the_other_language_are_left_out_on_request() -> None:
    assert given_numbers("seven 八", "en") == {7}
    assert given_numbers("seven 八", "zh") == {8}
    assert given_numbers("seven 八") == {7, 8}


def test_literals_keep_the_form_they_were_written_in() -> None:
    assert literals_in("$4.50 and 1,200") == {"4.50", "4.5", "1200"}
    assert literals_in("20%") == {"20", "0.2", "0.20", "0.8", "0.80", "1.2", "1.20"}


def test_no_literal_has_a_sign() -> None:
    assert literals_in("120%") == {"120", "1.2", "1.20", "2.2", "2.20"}


def test_what_no_decimal_equals_is_no_literal() -> None:
    assert literals_in("a third of it", "en") == {"3"}


def test_a_number_of_a_thousand_digits_is_no_literal() -> None:
    assert literals_in("9" * 1000) == frozenset()


@pytest.mark.parametrize(
    ("question", "gives"),
    [
        ("What is the capital of France?", False),
        ("Which one is it?", False),
        ("哪一个更大?", False),
        ("How much is 1 and 1?", True),
        ("Two of them?", True),
        ("", False),
    ],
)
def test_a_mere_one_is_nothing_to_compute_with(question: str, gives: bool) -> None:
    assert gives_numbers(question) is gives


@given(st.text(st.sampled_from(NUMERALS) | st.characters(), max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    literals = literals_in(text)
    assert {Fraction(literal) for literal in literals} <= given_numbers(text)


@pytest.mark.parametrize(
    "word",
    ["million ", "亿", "9", "one hundred ", "a ", "1/", "1 1/", "9,999,", "half ", "半", "百分之"],
)
def test_a_long_text_is_read_in_time(word: str) -> None:
    started_s = time.thread_time()
    given_numbers(word * (8192 // len(word)))
    assert time.thread_time() - started_s < READING_LIMIT_S
