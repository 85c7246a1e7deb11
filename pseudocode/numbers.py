"""Exact numbers: how they are computed and how they are written."""

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from pseudocode.errors import Code, ExecutionError, shortened

# Python reads and writes longer integers only up to a limit (4,300 digits, or 640 where it is set
# low); Decimal has no such limit and is exact here.
_PLAIN_DIGITS = 600
_PLAIN_BITS = 1_990


def read_number(literal: str) -> Fraction:
    """Read digits with or without a decimal point, exactly."""
    return Fraction(literal) if len(literal) < _PLAIN_DIGITS else Fraction(Decimal(literal))


def format_number(value: Fraction) -> str:
    """Write a number exactly: `7`, `-2.75`, or `1/3` where no decimal terminates."""
    denominator = value.denominator
    if denominator == 1:
        return _digits(value.numerator)
    twos = (denominator & -denominator).bit_length() - 1
    fives = round(math.log(denominator >> twos, 5))
    if denominator != 2**twos * 5**fives:
        return f"{_digits(value.numerator)}/{_digits(denominator)}"
    places = max(twos, fives)
    shifted = abs(value.numerator) * 2 ** (places - twos) * 5 ** (places - fives)
    digits = _digits(shifted).zfill(places + 1)
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def _digits(number: int) -> str:
    return str(number) if number.bit_length() < _PLAIN_BITS else str(Decimal(number))


def power(base: Fraction, exponent: Fraction, *, max_bits: int) -> Fraction | None:
    """Raise `base` to a whole `exponent`; `None` where the result must be longer than `max_bits`.

    Raises:
        ExecutionError: The exponent is no whole number, or the power divides by zero.
    """
    if exponent.denominator != 1:
        raise ExecutionError(
            Code.BAD_EXPONENT,
            f"A power has the exponent {_short(exponent)}; only whole numbers are allowed. "
            "Write roots and fractional powers in another way.",
        )
    if base == 0 and exponent < 0:
        raise _division_by_zero("0 to a negative power")
    # A number of n bits is at least 2**(n - 1), so this never refuses a power that would fit; 0, 1
    # and -1 have one bit and fit whatever the exponent.
    size_bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if (size_bits - 1) * abs(exponent) > max_bits:
        return None
    return Fraction(base ** int(exponent))


def _division_by_zero(what: str) -> ExecutionError:
    return ExecutionError(
        Code.DIVISION_BY_ZERO,
        f"The line computes {what}; a divisor must not be 0. Check the steps it is computed from.",
    )


def _divide(left: Fraction, right: Fraction) -> Fraction:
    if not right:
        raise _division_by_zero(f"{_short(left)} / 0")
    return left / right


def _floor_divide(left: Fraction, right: Fraction) -> Fraction:
    if not right:
        raise _division_by_zero(f"{_short(left)} // 0")
    return Fraction(left // right)


def _modulo(left: Fraction, right: Fraction) -> Fraction:
    if not right:
        raise _division_by_zero(f"{_short(left)} % 0")
    return left % right


def _short(value: Fraction) -> str:
    return shortened(format_number(value), 40)


OPERATIONS: dict[str, Callable[..., Fraction]] = {
    "add": lambda left, right: left + right,
    "subtract": lambda left, right: left - right,
    "multiply": lambda left, right: left * right,
    "divide": _divide,
    "floor_divide": _floor_divide,
    "modulo": _modulo,
    "less": lambda left, right: Fraction(left < right),
    "at_most": lambda left, right: Fraction(left <= right),
    "greater": lambda left, right: Fraction(left > right),
    "at_least": lambda left, right: Fraction(left >= right),
    "negate": lambda value: -value,
    "minimum": lambda *values: min(values),
    "maximum": lambda *values: max(values),
    "absolute": abs,
    "round_half_even": lambda value: Fraction(round(value)),
    "round_down": lambda value: Fraction(math.floor(value)),
    "round_up": lambda value: Fraction(math.ceil(value)),
}
