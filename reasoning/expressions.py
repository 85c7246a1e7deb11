"""Arithmetic as it is written beside words: parsed by recursive descent, computed exactly.

Units behind numbers are remembered, since `3 km + 500 m` cannot be recomputed by numbers alone.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from reasoning import numbers
from reasoning.tokens import Token, tokenise

MAX_TOKENS = 120
MAX_BITS = 4000
MAX_POWER = 64
MAX_UNIT_WORDS = 4


class Value(NamedTuple):
    """What an expression comes to.

    Attributes:
        value: Exactly.
        operations: How many operators it has; a simple fraction counts as one.
        units: Words behind its numbers.
        percent: Whether its last number is a percentage.
        divisor: What it divides by last, if it divides.
        remainder: What is left, for `3 remainder 2`.
    """

    value: Fraction
    operations: int
    units: frozenset[str]
    percent: bool
    divisor: Fraction | None
    remainder: Fraction | None


class _Unreadable(Exception):  # noqa: N818 - never leaves this module
    """This is no expression, or one whose value is out of bounds."""


def evaluate(tokens: Sequence[Token]) -> Value | None:
    """Compute an expression that takes up all of the tokens, or return `None`."""
    if not tokens or len(tokens) > MAX_TOKENS:
        return None
    reader = _Reader(tokens)
    try:
        value = reader.sum()
        remainder = reader.remainder()
        if reader.at < len(tokens):
            return None
    except (_Unreadable, ZeroDivisionError, RecursionError):
        return None
    units = frozenset(reader.units)
    return Value(value, reader.operations, units, reader.percent, reader.divisor, remainder)


def value_of(text: str) -> Fraction | None:
    """The value of a text that is one number or expression, with or without units."""
    found = evaluate([token for token in tokenise(text.strip().rstrip(".。")) if token.text])
    return None if found is None or found.remainder is not None else found.value


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.operations = 0
        self.units: set[str] = set()
        self.percent = False
        self.divisor: Fraction | None = None

    def sum(self) -> Fraction:
        value = self._product()
        while (sign := self._operator("+", "-")) is not None:
            self.operations += 1
            other = self._product()
            value = _bounded(value + other if sign == "+" else value - other)
        return value

    def remainder(self) -> Fraction | None:
        if self._operator("<remainder>") is None:
            return None
        return self._number()

    def _product(self) -> Fraction:
        value = self._signed()
        while True:
            sign = self._operator("*", "/")
            if sign is None and not self._opens_beside():
                return value
            self.operations += 1
            other = self._signed()
            if sign == "/":
                self.divisor = other
            value = _bounded(value / other if sign == "/" else value * other)

    def _opens_beside(self) -> bool:
        """Whether a bracket follows directly, as in `2(3 + 4)`."""
        return self.tokens[self.at - 1].kind != "unit" and self._peek("(")

    def _signed(self) -> Fraction:
        if self._operator("-") is not None:
            return -self._signed()
        if self._operator("+") is not None:
            return self._signed()
        return self._power()

    def _power(self) -> Fraction:
        base = self._atom()
        sign = self._operator("^", "^2", "^3")
        if sign is None:
            return base
        self.operations += 1
        exponent = self._signed() if sign == "^" else Fraction(int(sign[1]))
        if exponent.denominator != 1 or abs(exponent) > MAX_POWER:
            raise _Unreadable
        return _bounded(base ** int(exponent))

    def _atom(self) -> Fraction:
        if self._operator("<fraction>") is not None:
            self.operations += 1
            above, below = self._bracketed(), self._bracketed()
            return above / below
        if self._peek("("):
            value = self._bracketed()
            self._units()
            return value
        return self._number()

    def _bracketed(self) -> Fraction:
        if self._operator("(") is None:
            raise _Unreadable
        value = self.sum()
        self._units()
        if self._operator(")") is None:
            raise _Unreadable
        return value

    def _number(self) -> Fraction:
        if self.at >= len(self.tokens) or self.tokens[self.at].kind != "number":
            raise _Unreadable
        value = numbers.parse(self.tokens[self.at].text)
        if value is None:
            raise _Unreadable
        self.at += 1
        self.percent = False
        if self._operator("<percent>") is not None:
            self.percent = True
            value /= 100
        if self._peek("<fraction>"):
            # 2\\frac{1}{2} is two and a half.
            return value + self._atom()
        return value * self._units()

    def _units(self) -> int:
        """Pass over the words behind a number; return what they multiply it by (万, 亿)."""
        multiple = 1
        words: list[str] = []
        while self.at < len(self.tokens) and self.tokens[self.at].kind == "unit":
            word = self.tokens[self.at].text
            if not words and word in numbers.MULTIPLES:
                multiple *= numbers.MULTIPLES[word]
            else:
                words.append(word)
            self.at += 1
        hanzi = all("\u3400" <= word[0] <= "\u9fff" for word in words)
        if len(words) > MAX_UNIT_WORDS * (2 if hanzi else 1):
            raise _Unreadable
        if words:
            self.units.add(" ".join(words) if not hanzi else "".join(words))
        return multiple

    def _peek(self, text: str) -> bool:
        return (
            self.at < len(self.tokens)
            and self.tokens[self.at].kind == "operator"
            and self.tokens[self.at].text == text
        )

    def _operator(self, *texts: str) -> str | None:
        for text in texts:
            if self._peek(text):
                self.at += 1
                return text
        return None


def _bounded(value: Fraction) -> Fraction:
    if value.numerator.bit_length() + value.denominator.bit_length() > MAX_BITS:
        raise _Unreadable
    return value
