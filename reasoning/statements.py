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
_PART = re.compile(r"(?:[^.。;；!！?？\n]|[.](?!\s))+")
_SIGN = re.compile(r"[=＝≈≒]|等于|得|约为|equal|gives|approx", re.IGNORECASE)
_SIGNS = ("equals", "about")


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


class Found(NamedTuple):
    """The stated calculations of a text, in reading order, and how many could not be read."""

    statements: list[Statement]
    unread: int


def find_statements(text: str) -> Found:
    """Find every stated calculation of a text and recompute it."""
    statements: list[Statement] = []
    signs = 0
    # A calculator's mark, as GSM8K has them, states on its own.
    bare = _LIST_MARK.sub(_blank, _ANNOTATION.sub(_blank, text))
    marks = [(match.start() + 2, match[0][2:-2]) for match in _ANNOTATION.finditer(text)]
    for start, part in [*marks, *_parts_with_signs(bare)]:
        tokens = tokenise(part)
        signs += sum(token.kind in _SIGNS for token in tokens)
        statements += (_shifted(item, start) for item in _in_tokens(tokens, part))
    statements.sort(key=lambda statement: statement.start)
    return Found(statements, signs - len(statements))


def _blank(match: re.Match[str]) -> str:
    return "\n" * len(match[0]) if match.re is _LIST_MARK else " " * len(match[0])


def _parts_with_signs(text: str) -> Iterator[tuple[int, str]]:
    """Sentences that say that something equals something, with their place."""
    for match in _PART.finditer(text):
        if _SIGN.search(match[0]):
            yield match.start(), match[0]


def _shifted(statement: Statement, by: int) -> Statement:
    return statement._replace(
        start=statement.start + by, value_start=statement.value_start + by, end=statement.end + by
    )


def _in_tokens(tokens: Sequence[Token], text: str) -> Iterator[Statement]:
    for at, token in enumerate(tokens):
        if token.kind in _SIGNS:
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
    spoken = tokens[at].text.startswith("is")
    if (value.operations or spoken) and _names_something(tokens, first, at, expression):
        # `$5 gives 5 × 100 cents`, `the third week = 35 + 35`, `then 1/3 is equal to $20`.
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


def _names_something(tokens: Sequence[Token], first: int, at: int, left: Value) -> bool:
    """Whether a side is one number, percentage or fraction amid words, so nothing is computed."""
    own = tokens[first:at]
    signs = [token.text for token in own if token.kind == "operator"]
    numbers_there = sum(token.kind == "number" for token in own)
    alone = signs in ([], ["<percent>"]) or (signs == ["/"] and numbers_there == len(own) - 1)
    amid_words = first > 0 and tokens[first - 1].kind == "unit"
    return alone and (amid_words or bool(left.units))


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
                return (last, found) if _closes(tokens, last) else None
            return last, found
    return None


def _closes(tokens: Sequence[Token], at: int) -> bool:
    """Whether a bracket ends a calculation: `(3 + 4 = 7)` or `= 7 (apples)`."""
    behind = tokens[at + 1].kind if at + 1 < len(tokens) else None
    return tokens[at].text == ")" or (tokens[at].text == "(" and behind == "unit")


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
    return any(_rounds(left.value - candidate, step) for candidate in candidates)


def _rounds(difference: Fraction, step: Fraction) -> bool:
    """Whether a value is rounded to a step; whole numbers may be rounded up, others cut off."""
    whole = step >= 1 and abs(difference) < step
    return whole or abs(difference) <= step / 2 or 0 <= difference < step
