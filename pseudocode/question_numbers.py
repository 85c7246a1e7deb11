"""The numbers a question gives, in digits or in words, English and Chinese.

It reads generously: a number too many costs little, a number missed makes a right program doubtful.
Knows nothing of programs.
"""

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction
from typing import Literal, TypeGuard

from pseudocode.chinese_numbers import chinese_values
from pseudocode.english_numbers import english_values
from pseudocode.implied_numbers import implied_numbers
from pseudocode.numbers import format_number, read_number

QuestionLanguage = Literal["en", "zh"]

# Nobody computes with longer ones, and a grammar must not grow with them.
_MAX_LITERAL_CHARACTERS = 40
_HALF = Fraction(1, 2)
_SCALES = {
    **dict.fromkeys(("hundred", "百"), 10**2),
    **dict.fromkeys(("thousand", "千"), 10**3),
    "万": 10**4,
    "million": 10**6,
    "亿": 10**8,
    "billion": 10**9,
    **dict.fromkeys(("dozen", "打"), 12),
}
_FRACTION_SIGN = re.compile("[¼-¾⅐-⅞]")
_IN_DIGITS = re.compile(
    r"(?P<whole>\d{1,3}(?:,\d{3})+(?!\d)|\d+|(?<![\d.])(?=\.\d))(?P<decimals>\.\d+)?"
    r"(?:\s*/\s*(?P<under>\d+)(?!\d|[.,]\d))?"
    r"(?P<percent>\s*(?:%|per\s?cent))?"
    rf"(?:[\s-]*(?P<scale>{'|'.join(_SCALES)}))?"
    r"(?P<tenths>\s*[成折])?"
    r"(?P<half>\s*[个只]?半)?",
    re.ASCII | re.IGNORECASE,
)
_MIXED = re.compile(r"(?<!\d)(\d+)(?:\s+|又)(\d+)\s*/\s*(\d+)", re.ASCII)


# Numbers a program may use whatever the question: identities, halves, quarters, tens.
CONSTANTS = frozenset(map(Fraction, ("0", "0.5", "1", "2", "4", "10", "100", "1000")))


def given_numbers(question: str, language: QuestionLanguage | None = None) -> frozenset[Fraction]:
    """Return the numbers that a question gives.

    Digits count with or without thousands separators and in full width; a percentage as itself, as
    a share, and as what is left or grown by it (for `20%` 20, 0.2, 0.8 and 1.2); a fraction as its two numbers and their quotient; `3 million` and `3万` as 3 and
    the product. Of words: cardinals (`twenty-five`, `二十五`), fractions (`two thirds`, `三分之一`),
    percentages (`百分之五`), and what stands for a number (`half`, `twice`, `dozen`, `一半`, `两倍`).

    Args:
        question: The text.
        language: Whose number words are read; both if unset.
    """
    text = _normal(question)
    return frozenset(value for value, _ in _read(text, language))


def grounded_numbers(
    question: str, language: QuestionLanguage | None = None
) -> frozenset[Fraction]:
    """Return what a program may use: the given and the implied numbers, and `CONSTANTS`."""
    text = _normal(question)
    given = frozenset(value for value, _ in _read(text, language))
    return given | implied_numbers(text, language) | CONSTANTS


def literals_in(question: str, language: QuestionLanguage | None = None) -> frozenset[str]:
    """Return the numbers of `given_numbers` as a program may write them.

    Beside the shortest form a number may keep the zeros it was written with, `4.50` for example.
    Fractions that no decimal equals cannot be written as a literal and are left out.
    """
    text = _normal(question)
    forms = (
        form for value, written in _read(text, language) for form in (format_number(value), written)
    )
    return frozenset(form for form in forms if _is_short_literal(form))


def grounded_literals(question: str, language: QuestionLanguage | None = None) -> frozenset[str]:
    """Return the numbers of `grounded_numbers` as a program may write them."""
    brought = implied_numbers(_normal(question), language) | CONSTANTS
    forms = frozenset(filter(_is_short_literal, map(format_number, brought)))
    return literals_in(question, language) | forms


def gives_numbers(question: str, language: QuestionLanguage | None = None) -> bool:
    """Whether a question gives any number to compute with; a mere `one` or `一` is none."""
    return bool(given_numbers(question, language) - {Fraction(1)}) or "1" in _normal(question)


def _is_short_literal(text: str | None) -> TypeGuard[str]:
    # The dialect has no literals for fractions and none with a sign.
    return text is not None and not {"/", "-"} & set(text) and len(text) <= _MAX_LITERAL_CHARACTERS


def _normal(question: str) -> str:
    # Composed fractions would melt into the digit before them.
    spaced = _FRACTION_SIGN.sub(
        lambda sign: " " + unicodedata.normalize("NFKC", sign[0]).replace("\u2044", "/"), question
    )
    return unicodedata.normalize("NFKC", spaced).lower()


def _read(text: str, language: QuestionLanguage | None) -> Iterator[tuple[Fraction, str | None]]:
    """Yield every value, with the form it was written in where that is another literal for it."""
    for found in _IN_DIGITS.finditer(text):
        yield from _digits(found)
    for whole, over, under in _MIXED.findall(text):
        if read_number(under):
            yield read_number(whole) + read_number(over) / read_number(under), None
    if language != "zh":
        for value in english_values(text):
            yield value, None
    if language != "en":
        for value in chinese_values(text):
            yield value, None


def _digits(found: re.Match[str]) -> Iterator[tuple[Fraction, str | None]]:
    # Prices are also written `$.50`.
    whole = found["whole"].replace(",", "") or "0"
    written = whole + (found["decimals"] or "")
    value = read_number(written)
    yield value, written if re.fullmatch(r"(0|[1-9]\d*)\.\d+", written) else None
    under = read_number(found["under"]) if found["under"] else None
    if under is not None:
        yield under, None
        if under:
            yield value / under, None
    if found["percent"]:
        for share in (value / 100, 1 - value / 100, 1 + value / 100):
            yield share, _two_decimals(share)
    if found["scale"]:
        scale = Fraction(_SCALES[found["scale"].lower()])
        yield value * scale, None
        yield scale, None
    if found["tenths"]:
        # Five tenths are written 5, a discount to 85 % is written 85.
        percent = value if value > 10 else 10 * value
        yield percent, None
        yield percent / 100, None
    if found["half"]:
        yield value + _HALF, None
        yield _HALF, None


def _two_decimals(share: Fraction) -> str | None:
    """`0.20` for a fifth."""
    hundredths = share * 100
    if share < 0 or hundredths.denominator != 1:
        return None
    return f"{int(hundredths) // 100}.{int(hundredths) % 100:02d}"
