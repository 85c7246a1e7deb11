"""What a question brings along is grounded, in both languages; what it does not is still caught."""

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pseudocode
from pseudocode.findings import check
from pseudocode.implied_numbers import implied_numbers
from pseudocode.question_numbers import (
    CONSTANTS,
    given_numbers,
    grounded_literals,
    grounded_numbers,
)

# A server reads questions between others' tokens.
READING_LIMIT_S = 0.6


def ungrounded(program: str, question: str) -> list[str]:
    findings = check(pseudocode.parse(program), question)
    return [
        finding.message.split()[0] for finding in findings if finding.code == "ungrounded_literal"
    ]


@pytest.mark.parametrize(
    ("question", "brought"),
    [
        ("He pays 30% of it.", "0.01 70 130"),
        ("Each costs 25 cents.", "0.01 0.25"),
        ("He runs for 50 minutes.", "60 3600"),
        ("She reads 9 pages a day.", "7 24"),
        ("He works for 3 weeks.", "7 21"),
        ("He is open on weekdays.", "5 2"),
        ("He trains on Monday, Wednesday, and Friday.", "3 4 7"),
        ("He works Monday to Friday.", "5"),
        ("How much is it a year?", "12 52 365"),
        ("All of July", "31"),
        ("Two pounds of tea", "16"),
        ("3 gallons of milk", "4 8 16 128"),
        ("a spider and a tricycle", "8 3"),
        ("the sides of a cube", "6 8 12"),
        ("the area of a circle", "3.14"),
        ("from 8:00 am to 11:30 am", "3.5 210"),
        ("from 9 am to 1 p.m.", "4 13"),
        ("for 1 hour 30 minutes", "1.5 90"),
        ("for half an hour", "30"),
        ("a pound and a half of beef", "1.5"),
        ("oranges, apples and pears in equal parts", "3"),
        ("Ann, Bill, Cate, and Dale buy a pizza.", "4"),
        ("She spent 3/7 of it.", "4"),
        ("in a ratio of 3:5:7", "15"),
    ],
)
def test_english_questions_bring_numbers_along(question: str, brought: str) -> None:
    wanted = {Fraction(number) for number in brought.split()}
    assert wanted <= implied_numbers(question.lower(), "en")


@pytest.mark.parametrize(
    ("question", "brought"),
    [
        ("打折30%", "0.01 70 130"),
        ("百分之三十", "0.01 100"),
        ("工作了3小时", "60 180"),
        ("每天看书", "7 24"),
        ("每月存钱", "12 30 31"),
        ("一年有多少", "12 365 366"),
        ("第二季度", "3 4"),
        ("稻田0.15公顷", "10000"),
        ("比例尺是1：5000000", "100000"),
        ("正方体的表面积", "6"),
        ("与它等底等高的圆锥", "3 3.14"),
        ("等腰三角形的顶角", "180 90"),
        ("时针旋转了多少", "360 12 30"),
        ("1分20秒", "80"),
        ("8元4角", "8.4"),
        ("6角的邮票", "0.6"),
        ("甲、乙、丙三人", "3"),
        ("苹果、梨和桃", "3"),
        ("男女比是3：2", "5"),
        ("修了全长的(1/4)", "3"),
        ("超过部分打9折", ""),
    ],
)
def test_chinese_questions_bring_numbers_along(question: str, brought: str) -> None:
    wanted = {Fraction(number) for number in brought.split()}
    assert wanted <= implied_numbers(question, "zh")


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("It costs $.10 a page.", "0.1"),
        ("4 half dozen crayons", "6"),
        ("half a million people", "500000"),
        ("her thirteenth birthday", "13"),
        ("可享9折优惠", "90 0.9"),
    ],
)
def test_what_stands_there_in_other_words_is_given(question: str, numbers: str) -> None:
    assert {Fraction(number) for number in numbers.split()} <= given_numbers(question)


def test_a_rule_needs_its_word() -> None:
    assert implied_numbers("ann has 8 pens and buys 3.", None) == frozenset()
    assert implied_numbers("小明有8支笔", None) == frozenset()
    question = "Ann has 8 pens and buys 3. How many has she?"
    assert grounded_numbers(question) == {8, 3} | CONSTANTS
    for literal in ("7", "12", "24", "60", "365", "0.01", "11"):
        assert ungrounded(f"a = 8 + {literal}\nreturn a", question) == [literal]
    assert ungrounded("a = 8 * 60\nreturn a", f"{question} It took minutes.") == []


def test_a_number_computed_in_the_head_is_not_grounded() -> None:
    question = "An aqua park charges $12 admission and $6 for a tour. 10 people take both."
    assert ungrounded("a = 18 * 10\nreturn a", question) == ["18"]
    assert ungrounded("a = 12 + 6\nb = a * 10\nreturn b", question) == []


def test_literals_are_those_that_a_program_can_write() -> None:
    literals = grounded_literals("7 of them, for 20 minutes, $.50 each")
    assert {"7", "20", "60", "0.50", "0.5", "100"} <= literals
    # A third of an hour is no decimal.
    assert not any("/" in literal for literal in literals)


@given(st.text(max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    assert all(value >= 0 for value in implied_numbers(text.lower(), None))


@pytest.mark.parametrize(
    "piece", ["a, ", "a, b and ", "甲、", "甲、乙和", "8:00 ", "1/2 ", "1:2:", "monday to ", "9", "20% ", "1 hour "]
)  # fmt: skip
def test_a_long_text_is_read_in_time(piece: str) -> None:
    started_s = time.thread_time()
    implied_numbers(piece * (8192 // len(piece)), None)
    assert time.thread_time() - started_s < READING_LIMIT_S
