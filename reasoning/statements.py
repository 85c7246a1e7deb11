"""Stated calculations in a text, each recomputed: `3 × 4 = 12`, `48÷2得24`, `20% of 50 = 10`.

Whatever cannot be read with certainty (variables, converted units, unknown signs) is passed over:
a statement is called wrong only if it is.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from reasoning import numbers
from reasoning.expressions import MAX_TOKENS, Value, evaluate
from reasoning.tokens import Token, tokenise

# Units of one quantity, between which a number alone says nothing.
_MEASURES = (
    {"mm", "cm", "dm", "m", "km", "in", "inch", "inches", "ft", "foot", "feet", "yard", "yards",
     "mile", "miles", "meter", "meters", "metre", "metres", "kilometer", "kilometers",
     "centimeter", "centimeters", "毫米", "厘米", "分米", "米", "千米", "公里", "里"},
    {"g", "kg", "t", "gram", "grams", "kilogram", "kilograms", "ton", "tons", "pound", "pounds",
     "lb", "lbs", "ounce", "ounces", "oz", "克", "千克", "公斤", "斤", "吨"},
    {"s", "sec", "second", "seconds", "min", "minute", "minutes", "h", "hour", "hours", "day",
     "days", "week", "weeks", "month", "months", "year", "years", "秒", "分", "分钟", "小时", "时",
     "天", "周", "星期", "个月", "月", "年"},
    {"ml", "l", "L", "liter", "liters", "litre", "litres", "gallon", "gallons", "cup", "cups",
     "pint", "pints", "quart", "quarts", "毫升", "升"},
    {"cent", "cents", "dollar", "dollars", "元", "角", "分", "块", "毛"},
)  # fmt: skip
_ANNOTATION = re.compile(r"<<([^<>=]*)=([^<>=]*)>>")
_LIST_MARK = re.compile(
    r"(?m)^[ \t]*(?:(?:step|第)\s*[\d一二三四五六七八九十]+\s*步?|[(（]?\d{1,2}[.)）、](?!\d)"
    r"|[①-⑳]|[-*•](?=\s))\s*[:：.、)-]*",
    re.IGNORECASE,
)
_PERCENT = 100


class Statement(NamedTuple):
    """One stated calculation.

    Attributes:
        start: Where it begins in the text.
        value_start: Where the stated value begins.
        end: Where that ends.
        stated: The value as written.
        recomputed: What it should be, exactly.
        ok: Whether both agree.
    """

    start: int
    value_start: int
    end: int
    stated: str
    recomputed: str
    ok: bool


def find_statements(text: str) -> list[Statement]:
    """Find every stated calculation of a text, in reading order."""
    found = []
    for match in _ANNOTATION.finditer(text):
        # A calculator's mark, as GSM8K has them.
        tokens = tokenise(match[0][2:-2])
        shift = match.start() + 2
        found += [_shifted(statement, shift) for statement in _in_tokens(tokens, match[0][2:-2])]
    bare = _ANNOTATION.sub(lambda match: " " * len(match[0]), text)
    bare = _LIST_MARK.sub(lambda match: "\n" * len(match[0]), bare)
    found += _in_tokens(tokenise(bare), bare)
    return sorted(found, key=lambda statement: statement.start)


def _shifted(statement: Statement, by: int) -> Statement:
    return statement._replace(
        start=statement.start + by, value_start=statement.value_start + by, end=statement.end + by
    )


def _in_tokens(tokens: Sequence[Token], text: str) -> Iterator[Statement]:
    for at, token in enumerate(tokens):
        if token.kind in ("equals", "about"):
            statement = _around(tokens, at, text)
            if statement is not None:
                yield statement


def _around(tokens: Sequence[Token], at: int, text: str) -> Statement | None:
    """The calculation on both sides of an equals sign, if it can be read."""
    left = _left(tokens, at)
    right = _right(tokens, at)
    if left is None or right is None:
        return None
    (first, expression), (last, value) = left, right
    if expression.operations + value.operations == 0 or _converts(expression, value):
        return None
    if _is_number(tokens[first:at]) and (_in_words(tokens, first) or expression.units):
        # `$5 gives 5 × 100 cents`, `the third week = 35 + 35`: nothing is computed on the left.
        return None
    while tokens[last - 1].kind == "unit" and tokens[last - 1].text not in numbers.MULTIPLES:
        last -= 1
    start, end = tokens[at + 1].start, tokens[last - 1].end
    stated = text[start:end]
    ok = _agree(expression, value, stated, about=tokens[at].kind == "about")
    return Statement(tokens[first].start, start, end, stated, _right_value(expression, value), ok)


def _right_value(left: Value, right: Value) -> str:
    if right.remainder is None or left.divisor is None:
        return numbers.show(left.value)
    quotient = left.value // 1
    return f"{quotient}……{numbers.show((left.value - quotient) * left.divisor)}"


def _is_number(tokens: Sequence[Token]) -> bool:
    """Whether this is one number, percentage or fraction, units aside."""
    signs = [token.text for token in tokens if token.kind == "operator"]
    numbers_there = sum(token.kind == "number" for token in tokens)
    return signs in ([], ["<percent>"]) or (signs == ["/"] and numbers_there == len(tokens) - 1)


def _in_words(tokens: Sequence[Token], first: int) -> bool:
    return first > 0 and tokens[first - 1].kind == "unit"


def _left(tokens: Sequence[Token], at: int) -> tuple[int, Value] | None:
    """The longest expression that ends before a sign."""
    begin = at
    while begin > 0 and at - begin < MAX_TOKENS and tokens[begin - 1].kind in _INSIDE:
        begin -= 1
    if begin < at and tokens[begin].word:
        # `, minus 7 × 10 = 70`: the word joins clauses.
        begin += 1
        return None if (found := evaluate(tokens[begin:at])) is None else (begin, found)
    for first in range(begin, at):
        found = evaluate(tokens[first:at])
        if found is not None:
            return None if _is_cut(tokens, first) else (first, found)
    return None


def _is_cut(tokens: Sequence[Token], first: int) -> bool:
    """Whether what stands before an expression belongs to it, so that it says something else."""
    if first == 0:
        return False
    before = tokens[first - 1]
    if before.kind in ("number", "other") or (before.kind == "operator" and before.text != "("):
        return True
    # `3 and 1/2`, 2又1/2, and `the apples before - 3`.
    joins = before.text in ("and", "又") and first > 1 and tokens[first - 2].kind == "number"
    return joins or (before.kind == "unit" and tokens[first].text in ("+", "-"))


def _right(tokens: Sequence[Token], at: int) -> tuple[int, Value] | None:
    """The longest expression that begins behind a sign."""
    stop = at + 1
    while stop < len(tokens) and stop - at < MAX_TOKENS and tokens[stop].kind in _INSIDE:
        stop += 1
    for last in range(stop, at + 1, -1):
        found = evaluate(tokens[at + 1 : last])
        if found is not None:
            after = tokens[last] if last < len(tokens) else None
            if after is not None and after.kind in ("operator", "other", "number"):
                closes = after.kind == "operator" and after.text == ")"
                return (last, found) if closes else None
            return last, found
    return None


_INSIDE = ("number", "operator", "unit")


def _converts(left: Value, right: Value) -> bool:
    """Whether units of one quantity are mixed, so that the numbers alone need not agree."""
    units = left.units | right.units
    return any(len(units & measure) > 1 for measure in _MEASURES)


def _agree(left: Value, right: Value, stated: str, *, about: bool) -> bool:
    if right.remainder is not None:
        divisor = left.divisor or Fraction(1)
        fits = 0 <= right.remainder < divisor and right.value.denominator == 1
        return fits and left.value == right.value + right.remainder / divisor
    candidates = [right.value]
    if right.percent:
        # 15 / 60 × 100 = 25 % is how people write it.
        candidates.append(right.value * _PERCENT)
    if left.percent and not right.percent and not about:
        candidates.append(right.value / _PERCENT)
    if left.value in candidates:
        return True
    if not about:
        return False
    if right.operations:
        # An estimate of the operands; how close it should be is nowhere said.
        return True
    step = numbers.last_place(stated) / (_PERCENT if right.percent else 1)
    return any(abs(left.value - candidate) <= step for candidate in candidates)
