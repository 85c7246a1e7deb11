"""Chinese words that stand for numbers: `二十五`, `三分之一`, `百分之五`, `一半`, `两倍`, `八折`, `一打`."""

import re
from collections.abc import Iterator
from fractions import Fraction

from pseudocode.numbers import read_number

_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "亿": 10**8}
_CHARACTERS = "".join((*_DIGITS, *_UNITS, *_MYRIADS))
_NUMERAL = f"[{_CHARACTERS}]+"
_CARDINAL = re.compile(
    rf"(?P<number>{_NUMERAL})(?:点(?P<decimals>[{''.join(_DIGITS)}]+))?(?P<unit>[成折打双对]|[个只]?半)?"
)
_PART = re.compile(
    rf"(?<![\d{_CHARACTERS}])(?P<under>{_NUMERAL}|\d+)\s*分之\s*(?P<over>{_NUMERAL}|\d+(?:\.\d+)?)",
    re.ASCII,
)
_MEANT = {
    "半": ("2", "0.5"),
    "俩": ("2",),
    "双": ("2",),
    "倍": ("2",),
    "仨": ("3",),
    "一刻": ("15",),
    "三刻": ("45",),
}


def chinese_values(text: str) -> Iterator[Fraction]:
    """Yield the numbers that words of a text stand for, the parts of a fraction among them."""
    for found in _CARDINAL.finditer(text):
        yield from _cardinal_values(found)
    for found in _PART.finditer(text):
        under, over = _number(found["under"]), _number(found["over"])
        yield under
        yield over
        if under:
            yield over / under
            if under == 100:
                yield from (1 - over / 100, 1 + over / 100)
    for word, meant in _MEANT.items():
        if word in text:
            yield from map(Fraction, meant)


def _cardinal_values(found: re.Match[str]) -> Iterator[Fraction]:
    value = _number(found["number"])
    if found["decimals"]:
        digits = "".join(str(_DIGITS[char]) for char in found["decimals"])
        value += read_number(f"0.{digits}")
    yield value
    unit = found["unit"]
    if unit in ("成", "折"):
        yield value * 10 if value < 10 else value
        yield value / 10 if value < 10 else value / 100
    elif unit == "打":
        yield Fraction(12)
        yield value * 12
    elif unit in ("双", "对"):
        yield Fraction(2)
        yield value * 2
    elif unit is not None:
        yield value + Fraction(1, 2)


def _number(text: str) -> Fraction:
    """Read `二十五`, `一百零三`, `三万两千`; without units digit by digit, as in `八五` or `二〇二四`."""
    if not set(text) & (set(_DIGITS) | set(_UNITS) | set(_MYRIADS)):
        return read_number(text)
    if len(text) > 1 and all(char in _DIGITS for char in text):
        return read_number("".join(str(_DIGITS[char]) for char in text))
    total, section, digit = 0, 0, 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _UNITS:
            section += (digit or (0 if section else 1)) * _UNITS[char]
            digit = 0
        else:
            total = (total + section + digit or 1) * _MYRIADS[char]
            section = digit = 0
    return Fraction(total + section + digit)
