"""Languages are counted, and rows in another one named only where that is sure."""

import pytest

from training.checks.languages import count_languages, language_of
from training.sheet import Row

ENGLISH = "Natalia sold clips to many of her friends in April and then she sold more in May."
GERMAN = "Natalia verkaufte im April viele Klammern an ihre Freunde und im Mai noch einige mehr."


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, "en"),
        (GERMAN, "de"),
        ("小明有几个苹果？", "zh"),
        ("小明有 3 个 apple", "zh"),
        ("これは本です", "ja"),
        ("이것은 책입니다", "ko"),
        ("2 + 3 =", "und"),
        ("", "und"),
        ("short one", "und"),
    ],
)
def test_a_language_is_told_or_left_open(text: str, language: str) -> None:
    assert language_of(text) == language


def rows(*prompts: str) -> list[Row]:
    return [Row(line, prompt, "x", None, {}) for line, prompt in enumerate(prompts, 2)]


def test_the_one_row_in_another_language_is_named() -> None:
    counts, others = count_languages(rows(*[ENGLISH] * 30, GERMAN))
    assert counts == {"en": 30, "de": 1}
    assert [(problem.line, problem.code) for problem in others] == [(32, "other_language")]


def test_a_mixed_file_has_no_odd_rows() -> None:
    counts, others = count_languages(rows(*[ENGLISH] * 5, *["小明有几个苹果？"] * 5))
    assert (counts, others) == ({"en": 5, "zh": 5}, [])


def test_no_rows_have_no_language() -> None:
    assert count_languages([]) == ({}, [])
