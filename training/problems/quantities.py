"""Ranges of numbers as templates write them, and drawing from them.

`2..90` is a whole number, `0.25..9.75/0.25` steps by a quarter, `20..96 x b` is a multiple of
another number of the template, `20..96 x b + c` that multiple plus a third, `2..a` stays below
another number; a list `[10, 20, 25]` is a choice. This module knows nothing of words or programs.
"""

import math
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

_NUMBER = r"\d+(?:\.\d+)?"
_NAME = r"[a-z]+(?:\.[a-z]+)?"
_RANGE = re.compile(
    rf"(?P<low>{_NUMBER}|{_NAME})\.\.(?P<high>{_NUMBER}|{_NAME})"
    rf"(?:/(?P<step>{_NUMBER}))?"
    rf"(?: x (?P<multiple_of>{_NAME})(?: \+ (?P<plus>{_NAME}))?)?"
)
Lookup = Callable[[str], Decimal]


@dataclass(frozen=True)
class Range:
    """An arithmetic series; ends, step and offset are numbers or names of other numbers."""

    low: str
    high: str
    step: str
    offset: str | None = None

    def references(self) -> Iterator[str]:
        """Yield the names of the other numbers this one depends on."""
        for part in (self.low, self.high, self.step, self.offset):
            if part is not None and part[0].isalpha():
                yield part

    def draw(self, rng: random.Random, lookup: Lookup) -> str | None:
        """Draw a member, small ones somewhat more often; `None` if there is none.

        Args:
            rng: The source of chance.
            lookup: Gives the value of another number of the template.
        """
        step = _value(self.step, lookup)
        low, high = _value(self.low, lookup), _value(self.high, lookup)
        low += step if self.low[0].isalpha() else 0
        high -= step if self.high[0].isalpha() else 0
        offset = _value(self.offset, lookup) if self.offset is not None else Decimal(0)
        first, last = math.ceil((low - offset) / step), math.floor((high - offset) / step)
        if first > last:
            return None
        multiple = rng.randint(first, last)
        if rng.random() < 0.5:
            # Half of the draws are uniform in the logarithm: a wide range gives short numbers too.
            shift = 1 - min(first, 1)
            drawn = math.exp(rng.uniform(math.log(first + shift), math.log(last + shift + 1)))
            multiple = min(max(int(drawn) - shift, first), last)
        return _written(multiple * step + offset, step)


@dataclass(frozen=True)
class Values:
    """A closed list of numbers."""

    values: tuple[str, ...]

    def references(self) -> Iterator[str]:
        """Yield nothing: a list depends on no other number."""
        return iter(())

    def draw(self, rng: random.Random, lookup: Lookup) -> str | None:  # noqa: ARG002  # as Range
        """Draw one of the values, each as likely as the next."""
        return rng.choice(self.values)


Quantity = Range | Values


def parse(declared: object) -> Quantity:
    """Read a declaration: a range as text or a list of numbers.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(declared, list) and declared:
        return Values(tuple(str(value) for value in declared))
    match = _RANGE.fullmatch(str(declared))
    if match is None:
        raise ValueError(
            f"{declared!r} is no range; expected 2..90, 0.5..9.5/0.5, 20..96 x b or [10, 20]"
        )
    step = match["multiple_of"] or match["step"] or "1"
    return Range(match["low"], match["high"], step, match["plus"])


def _value(part: str, lookup: Lookup) -> Decimal:
    return lookup(part) if part[0].isalpha() else Decimal(part)


def _written(value: Decimal, step: Decimal) -> str:
    """Write whole values without a point, others with as many decimals as the step has."""
    if value == value.to_integral_value():
        return str(int(value))
    return f"{value:.{-int(step.normalize().as_tuple().exponent)}f}"
