"""Numbers as they are written in either language, as exact fractions."""

import re
from fractions import Fraction

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
}
_PLACES = {"十": 10, "百": 100, "千": 1000}
MULTIPLES = {"万": 10**4, "亿": 10**8}
MAX_DIGITS = 400
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")


def parse(text: str) -> Fraction | None:
    """Read one number: digits, thousands, Chinese numerals, 三分之一, 百分之二十.

    Returns:
        Its value, or `None` if this is no number or one of absurd length.
    """
    text = text.strip().replace(",", "")
    if len(text) > MAX_DIGITS:
        return None
    if text.startswith("百分之"):
        share = parse(text.removeprefix("百分之"))
        return None if share is None else share / 100
    if "分之" in text:
        below, _, above = text.partition("分之")
        bottom, top = parse(below), parse(above)
        return top / bottom if top is not None and bottom else None
    if _PLAIN.fullmatch(text):
        return Fraction(text)
    return _numeral(text)


def _numeral(text: str) -> Fraction | None:
    """三百零五 and 二〇二四."""
    if not text or any(character not in _DIGITS and character not in _PLACES for character in text):
        return None
    if not any(character in _PLACES for character in text):
        return Fraction(int("".join(str(_DIGITS[character]) for character in text)))
    total, digit = 0, 1 if text[0] in _PLACES else 0
    for character in text:
        if character in _PLACES:
            total += digit * _PLACES[character]
            digit = 0
        else:
            digit = _DIGITS[character]
    return Fraction(total + digit)


def show(value: Fraction) -> str:
    """Write a value exactly: as a decimal where it ends, else as a fraction."""
    bottom = value.denominator
    for prime in (2, 5):
        while bottom % prime == 0:
            bottom //= prime
    if bottom != 1:
        return f"{value.numerator}/{value.denominator}"
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
    whole = abs(value.numerator) * 10**places // value.denominator
    sign = "-" if value < 0 else ""
    if not places:
        return f"{sign}{whole}"
    digits = str(whole).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def last_place(text: str) -> Fraction:
    """What the last digit of a rounded number counts: 0.01 in 3.33, 1000 in 6000."""
    digits = re.search(r"\d[\d,]*(?:\.\d+)?|\.\d+", text)
    whole, point, behind = (digits[0] if digits else "").replace(",", "").partition(".")
    if point:
        return Fraction(1, 10 ** len(behind))
    return (
        Fraction(10 ** (len(whole) - len(whole.rstrip("0")))) if whole.strip("0") else Fraction(1)
    )


def same_value(left: str, right: str) -> bool:
    """Whether two answers are the same text or the same number, `0.5` and `1/2` for example."""
    from reasoning.expressions import value_of  # noqa: PLC0415 - it reads numbers itself

    if left.strip().casefold() == right.strip().casefold():
        return True
    first, second = value_of(left), value_of(right)
    return first is not None and first == second
