"""Numbers that a question does not write but brings along by what it speaks of, in both languages.

Days of a week, ounces of a pound, faces of a cube, hours between two times of day, the items of a
list. Whoever reads generously here lets guesses through: each rule needs its word in the question.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Literal

_ENGLISH: Sequence[tuple[str, str]] = (
    (r"percent|per cent|%", "0.01 100"),
    (r"cents?|¢|penn(?:y|ies)|dimes?|nickels?", "0.01 100"),
    (r"seconds?|minutes?|hours?|hourly|mph|rpm|\d[ap]m", "60 3600"),
    (r"hours?|hourly|days?|daily|o'clock|\d?[ap]\.?m", "12 24"),
    (r"weeks?|weekly|days?|daily|every day|(?:mon|tues|wednes|thurs|fri|satur|sun)days?", "7"),
    (r"weekdays?|weekends?|work ?weeks?|school (?:week|day)s?|business days?|workdays?", "2 5"),
    (r"months?|monthly", "4 12 30 31"),
    (r"jan(?:uary)?|march|may|july|august|october|december", "31"),
    (r"february", "28 29"),
    (r"years?|yearly|annual(?:ly)?", "12 52 365 366"),
    (r"lbs?|pounds?|ounces?|oz", "16"),
    (r"gallons?", "4 8 16 128"),
    (r"quarts?", "2 4"),
    (r"pints?|cups?", "2 8 16"),
    (r"yards?", "3 36"),
    (r"feet|foot|ft|inch(?:es)?", "3 12"),
    (r"cards?|decks?", "13 52"),
    (r"dice|dies?", "6"),
    (r"fingers?|toes?|\w+nails", "5 10 20"),
    (r"miles?", "1760 5280"),
    (r"tons?", "2000"),
    (r"cubes?|cubic(?:al)?", "6 8 12"),
    (r"triang\w+", "3 180"),
    (r"squares?|rectang\w+", "4"),
    (r"hexagon\w*|insects?|ants?|bees?|beetles?", "6"),
    (r"pentagon\w*", "5"),
    (r"octagon\w*|octopus(?:es)?|spiders?", "8"),
    (r"tricycles?", "3"),
    (r"circ\w+|angles?|degrees?|rotat\w+", "90 180 360"),
    (r"circ\w+|radius|diameter|round|wheels?|tires?|cylind\w+|cones?|spher\w+|pi", "3 3.14"),
)
_CHINESE: Sequence[tuple[str, str]] = (
    (r"%|百分", "0.01 100"),
    (r"[小点]?时|分钟?|秒", "60 3600"),
    (r"时|天|日", "24"),
    (r"天|日|周|星期|礼拜", "7"),
    (r"月", "12 28 29 30 31"),
    (r"年|岁", "12 365 366"),
    (r"季度?", "3 4"),
    (r"公顷|平方|面积", "100 10000 1000000"),
    (r"千米|公里|比例尺|km", "1000 100000"),
    (r"立方|升|容积|体积|吨", "1000 1000000"),
    (r"[正立长]方体|棱", "4 6 8 12"),
    (r"三角|锥", "3"),
    (r"[圆轮钟针圈锥柱管]|直径|半径|π", "3.14"),
    (r"骰子|扑克", "6 13 52 54"),
    (r"正方形|长方形", "4"),
    (r"角形?|度|°", "90 180 360"),
    (r"[时分]针|[钟表]|旋转", "6 12 30 60 90 180 360"),
    (r"中点|中间", "0.5 50"),
)
_BRINGS: dict[Literal["en", "zh"], list[tuple[re.Pattern[str], frozenset[Fraction]]]] = {
    "en": [
        (re.compile(rf"(?<![a-z])(?:{words})(?![a-z])"), frozenset(map(Fraction, brought.split())))
        for words, brought in _ENGLISH
    ],
    "zh": [
        (re.compile(words), frozenset(map(Fraction, brought.split())))
        for words, brought in _CHINESE
    ],
}
_PERCENT = re.compile(
    r"(?<![\d.])(\d{1,6}(?:\.\d{1,6})?)\s*(?:%|per\s?cent)|百分之(\d{1,6})", re.ASCII
)
_FRACTION = re.compile(r"(?<![\d/])(\d{1,3})\s*/\s*(\d{1,3})(?![\d/])", re.ASCII)
_RATIO = re.compile(r"(?<!\d)\d{1,3}(?:\s*[:：比]\s*\d{1,3})+(?!\d)", re.ASCII)
_TIME = re.compile(
    r"(?<![\d.:])([01]?\d|2[0-3])(?:[:：]([0-5]\d)|\s*(?=[ap]\.?m)|\s*[点时])\s*([ap])?", re.ASCII
)
_DAYS = ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")
_DAY = re.compile(rf"({'|'.join(_DAYS)})days?(\s*(?:-|–|to|through|until)\s*)?")
_LIST = re.compile(r"((?:[^,.;:?!()\n]{1,40}, ){1,12})([^,.;:?!()\n]{1,40} )?(?:and|or) ")
_CHINESE_LIST = re.compile(
    r"((?:[^、，。；：？！\n]{1,20}、){1,12})[^、，。；：？！\n]{1,12}?(和|与|及)?"
)
# A number and its unit, for the same quantity in another unit.
_OTHER_UNIT = re.compile(
    r"(?<![\d.])(\d{1,4}(?:\.\d{1,3})?)[\s-]*(weeks?|周|星期|hours?|小?时|years?|年|cents?|minutes?|分钟)",
    re.ASCII,
)
_FACTORS = {
    **dict.fromkeys("w周星", Fraction(7)),
    **dict.fromkeys("h小时", Fraction(60)),
    **dict.fromkeys("y年", Fraction(12)),
    **dict.fromkeys("c", Fraction(1, 100)),
    **dict.fromkeys("m分", Fraction(1, 60)),
}
# Hours and minutes, minutes and seconds: of the greater unit, and of the smaller.
_MIXED = re.compile(
    r"(?<!\d)(\d{1,3})\s*(?:hours?|minutes?|小?时|分钟?)\s*(?:and\s+)?([1-5]?\d)\s*(?:minutes?|seconds?|分|秒)",
    re.ASCII,
)
_MONEY = re.compile(r"(?:(\d{1,5})元)?(\d)角(?:(\d)分)?", re.ASCII)
_HOUR_SHARE = re.compile(r"(half|quarter)[ -](?:of )?(?:an? )?(?:hour|minute)|半个?小?时|一刻")
_AND_A_HALF = re.compile(r"\ban? \w{1,20} and (?:a )?half\b")
_MOST_ITEMS, _MOST_TIMES = 12, 12


def implied_numbers(text: str, language: Literal["en", "zh"] | None) -> frozenset[Fraction]:
    """Return what a question brings along.

    Args:
        text: The question, in lower case and of normal width.
        language: Whose words are read; both if unset.
    """
    found: set[Fraction] = set()
    for one in _BRINGS if language is None else (language,):
        for words, brought in _BRINGS[one]:
            if not brought <= found and words.search(text):
                found |= brought
    found.update(_shares(text), _of_clock(text), _of_lists(text), _of_units(text))
    return frozenset(found)


def _shares(text: str) -> Iterator[Fraction]:
    """What a percentage or a fraction leaves, what a percentage grows to, the parts of a ratio."""
    for over, under in _FRACTION.findall(text):
        yield Fraction(abs(int(under) - int(over)))
    for ratio in _RATIO.findall(text):
        yield Fraction(sum(map(int, re.findall(r"\d+", ratio))))
    for digits, chinese in _PERCENT.findall(text):
        value = Fraction(digits or chinese)
        yield 100 + value
        if value <= 100:
            yield 100 - value


def _of_clock(text: str) -> Iterator[Fraction]:
    """Times of day in both counts, and the hours from one to the next."""
    times = []
    for hour, minute, half in _TIME.findall(text)[:_MOST_TIMES]:
        hours = int(hour) % 12 + 12 if half == "p" else int(hour)
        yield Fraction(hours)
        yield Fraction(abs(12 - int(hour)))
        times.append(hours * 60 + int(minute or 0))
    for before, after in pairwise(times):
        yield Fraction((after - before) % (12 * 60), 60)
        yield Fraction((after - before) % (12 * 60))


def _of_lists(text: str) -> Iterator[Fraction]:
    """How many things a list names; of days of the week, also how many others there are."""
    for items, last in _LIST.findall(text):
        count = items.count(",") + (2 if last else 1)
        yield from (Fraction(count),) if count <= _MOST_ITEMS else ()
    for items, joined in _CHINESE_LIST.findall(text):
        count = items.count("、") + (2 if joined else 1)
        yield from (Fraction(count),) if count <= _MOST_ITEMS else ()
    named = _DAY.findall(text)
    for (first, to), (last, _) in pairwise(named):
        if to:
            yield Fraction((_DAYS.index(last) - _DAYS.index(first)) % 7 + 1)
    if days := {day for day, _ in named}:
        yield from (Fraction(len(days)), Fraction(7 - len(days)))


def _of_units(text: str) -> Iterator[Fraction]:
    """A quantity in another unit, or in one unit instead of two."""
    for digits, unit in _OTHER_UNIT.findall(text):
        yield Fraction(digits) * _FACTORS[unit[0]]
    for more, less in _MIXED.findall(text):
        yield Fraction(more) * 60 + int(less)
        yield Fraction(more) + Fraction(int(less), 60)
    for yuan, jiao, fen in _MONEY.findall(text):
        yield int(yuan or 0) + Fraction(int(jiao), 10) + Fraction(int(fen or 0), 100)
    if _HOUR_SHARE.search(text):
        yield from (Fraction(30), Fraction(15))
    if _AND_A_HALF.search(text):
        yield Fraction(3, 2)
