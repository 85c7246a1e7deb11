"""Random programs in the canonical layout, each with the value that plain fractions give it.

The value is computed beside the text, part by part, so that no test relies on the parser or the
interpreter to say what is right.
"""

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from hypothesis import strategies as st

WORDS = ("ask", "return", "询问", "返回")
LETTERS = "abceflmnorstuxAZ_总数剩下"
SUM, PRODUCT, SIGN, POWER, ATOM = range(1, 6)

Value = Fraction | None
Binary = Callable[[Fraction, Fraction], Fraction]


class Part(NamedTuple):
    """An expression's text, how tightly it binds, and its value; `None` where it has none."""

    text: str
    binding: int
    value: Value


class RandomProgram(NamedTuple):
    text: str
    value: Value


names = st.from_regex(f"[{LETTERS}][{LETTERS}0-9]{{0,6}}", fullmatch=True).filter(
    lambda name: name not in WORDS
)
literals = st.one_of(
    st.integers(0, 99).map(str),
    st.decimals(0, 999, places=2).map(str),
)

BINARY: dict[str, tuple[int, Binary]] = {
    "+": (SUM, operator.add),
    "-": (SUM, operator.sub),
    "*": (PRODUCT, operator.mul),
    "/": (PRODUCT, operator.truediv),
    "//": (PRODUCT, lambda left, right: Fraction(math.floor(left / right))),
    "%": (PRODUCT, lambda left, right: left - right * math.floor(left / right)),
}


def nearest_even(value: Fraction) -> Fraction:
    below = math.floor(value)
    rest = value - below
    up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and below % 2 == 1)
    return Fraction(below + up)


FUNCTIONS: dict[str, Callable[[Fraction], Fraction]] = {
    "abs": lambda value: value if value >= 0 else -value,
    "round": nearest_even,
    "floor": lambda value: Fraction(value.numerator // value.denominator),
    "ceil": lambda value: Fraction(-(-value.numerator // value.denominator)),
}


def within(part: Part, binding: int) -> str:
    """The text of a part, in parentheses where its surroundings bind more tightly."""
    return part.text if part.binding >= binding else f"({part.text})"


def binary(left: Part, symbol: str, right: Part) -> Part:
    binding, compute = BINARY[symbol]
    text = f"{within(left, binding)} {symbol} {within(right, binding + 1)}"
    undefined = left.value is None or right.value is None
    if undefined or (symbol in {"/", "//", "%"} and right.value == 0):
        return Part(text, binding, None)
    assert left.value is not None
    assert right.value is not None
    return Part(text, binding, compute(left.value, right.value))


def power(base: Part, exponent: int) -> Part:
    text = f"{within(base, ATOM)} ** {exponent}"
    if base.value is None or (base.value == 0 and exponent < 0):
        return Part(text, POWER, None)
    value = Fraction(1)
    for _ in range(abs(exponent)):
        value *= base.value
    return Part(text, POWER, value if exponent >= 0 else 1 / value)


def negative(part: Part) -> Part:
    return Part(f"-{within(part, SIGN)}", SIGN, None if part.value is None else -part.value)


def call(name: str, argument: Part) -> Part:
    value = None if argument.value is None else FUNCTIONS[name](argument.value)
    return Part(f"{name}({argument.text})", ATOM, value)


def extreme(name: str, arguments: list[Part]) -> Part:
    text = f"{name}({', '.join(argument.text for argument in arguments)})"
    values = sorted(argument.value for argument in arguments if argument.value is not None)
    if len(values) < len(arguments):
        return Part(text, ATOM, None)
    return Part(text, ATOM, values[0] if name == "min" else values[-1])


@st.composite
def expressions(draw: st.DrawFn, known: dict[str, Value], depth: int = 3) -> Part:
    """An expression over the names that have a value, of at most so many parts inside parts."""
    form = draw(FORMS) if depth else "leaf"
    if form == "leaf":
        return draw(leaves(known))
    if form == "power":
        return power(draw(leaves(known)), draw(st.integers(-3, 3)))
    inner = expressions(known, depth - 1)
    if form == "extreme":
        name = draw(st.sampled_from(["min", "max"]))
        return extreme(name, draw(st.lists(inner, min_size=2, max_size=3)))
    part = draw(inner)
    if form == "binary":
        return binary(part, draw(st.sampled_from(sorted(BINARY))), draw(inner))
    if form == "call":
        return call(draw(st.sampled_from(sorted(FUNCTIONS))), part)
    return negative(part) if form == "negative" else Part(f"({part.text})", ATOM, part.value)


FORMS = st.sampled_from(
    ["leaf", "binary", "binary", "binary", "power", "negative", "call", "extreme", "group"]
)


def leaves(known: dict[str, Value]) -> st.SearchStrategy[Part]:
    numbers = literals.map(lambda text: Part(text, ATOM, Fraction(text)))
    if not known:
        return numbers
    return numbers | st.sampled_from(sorted(known)).map(lambda name: Part(name, ATOM, known[name]))


@st.composite
def programs(draw: st.DrawFn) -> RandomProgram:
    """One to four lines; the value is `None` if any line has none."""
    known: dict[str, Value] = {}
    lines = []
    undefined = False
    for name in draw(st.lists(names, max_size=3)):
        part = draw(expressions(known))
        lines.append(f"{name} = {part.text}")
        known[name] = part.value
        undefined = undefined or part.value is None
    answer = draw(expressions(known))
    lines.append(f"return {answer.text}")
    return RandomProgram("\n".join(lines), None if undefined else answer.value)


@st.composite
def damaged_programs(draw: st.DrawFn) -> str:
    """The text of a program with one to three characters taken out, put in or exchanged."""
    text = draw(programs()).text
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(text)))
        inserted = draw(st.sampled_from(["", *"01.=+-*/%(), \nretunmixabs总"]))
        removed = draw(st.integers(0, 1))
        text = text[:place] + inserted + text[place + removed :]
    return text
