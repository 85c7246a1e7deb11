"""English words that stand for numbers: `twenty-five`, `two thirds`, `half`, `twice`, `a dozen`."""

import itertools
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_CARDINALS = {
    **{word: number for number, word in enumerate(_SMALL)},
    **{word: 10 * number for number, word in enumerate(_TENS, start=2)},
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_PARTS = {
    **dict.fromkeys(("half", "halves"), 2),
    **dict.fromkeys(("quarter", "quarters", "fourth", "fourths"), 4),
    **{
        word + ending: number
        for number, word in (
            (3, "third"),
            (5, "fifth"),
            (6, "sixth"),
            (7, "seventh"),
            (8, "eighth"),
            (9, "ninth"),
            (10, "tenth"),
            (11, "eleventh"),
            (12, "twelfth"),
            (13, "thirteenth"),
            (14, "fourteenth"),
            (15, "fifteenth"),
            (16, "sixteenth"),
            (18, "eighteenth"),
            (20, "twentieth"),
            (100, "hundredth"),
        )
        for ending in ("", "s")
    },
    "hundredths": 100,
}
# What is meant by a word beside counting: how many, and for coins what part of a dollar.
_MEANT = {
    **dict.fromkeys(("once", "single"), ("1",)),
    **dict.fromkeys(("twice", "double", "doubled", "doubles", "twins", "couple", "both"), ("2",)),
    **dict.fromkeys(("pair", "pairs"), ("2",)),
    **dict.fromkeys(("thrice", "triple", "tripled", "triples", "triplets"), ("3",)),
    **dict.fromkeys(("quadruple", "quadrupled", "quadruples"), ("4",)),
    **dict.fromkeys(("dozen", "dozens"), ("12",)),
    **dict.fromkeys(("decade", "decades"), ("10",)),
    **dict.fromkeys(("century", "centuries"), ("100",)),
    "fortnight": ("14",),
    **dict.fromkeys(("quarter", "quarters"), ("25", "0.25")),
    **dict.fromkeys(("dime", "dimes"), ("10", "0.1")),
    **dict.fromkeys(("nickel", "nickels"), ("5", "0.05")),
    **dict.fromkeys(("penny", "pennies", "cent", "cents"), ("1", "0.01")),
}
_WORD = re.compile(r"[a-z]+")
_KNOWN = {*_CARDINALS, *_SCALES, *_PARTS, *_MEANT, "percent", "a", "an", "and"}


def english_values(text: str) -> Iterator[Fraction]:
    """Yield the numbers that words of a lower-case text stand for.

    A run of words yields its parts beside its whole, since `two dozen` may be used as 2, 12 or 24.
    """
    for run in _runs(text):
        yield from _values_of(run)
        yield from _parts_of_scales(run)


def _runs(text: str) -> Iterator[list[str]]:
    """Runs of number words with nothing but blanks and hyphens between them."""
    run: list[str] = []
    end = 0
    for found in _WORD.finditer(text):
        word = found[0]
        if word not in _KNOWN or (run and text[end : found.start()].strip(" -\n")):
            yield run
            run = []
        if word in _KNOWN:
            run.append(word)
        end = found.end()
    yield run


def _parts_of_scales(run: Sequence[str]) -> Iterator[Fraction]:
    """Half a dozen, a quarter million."""
    scales = {**_SCALES, "dozen": 12}
    told = [word for word in run if word not in ("a", "an")]
    for part, scale in itertools.pairwise(told):
        if part in _PARTS and scale in scales:
            yield Fraction(scales[scale], _PARTS[part])


def _values_of(run: Sequence[str]) -> Iterator[Fraction]:
    place = 0
    last: Fraction | None = None
    while place < len(run):
        number, length = _cardinal(run[place:])
        if number is not None:
            yield from _cardinal_values(run[place : place + length], number)
            last, place = number, place + length
            continue
        word = run[place]
        if word in _PARTS:
            yield from _part_values(_PARTS[word], last, after_and="and" in run[:place])
        if word == "percent" and last is not None:
            yield from (last / 100, 1 - last / 100, 1 + last / 100)
        for meant in _MEANT.get(word, ()):
            value = Fraction(meant)
            yield value
            if last is not None:
                yield last * value
        if word not in ("and", "a", "an"):
            last = None
        place += 1


def _cardinal(run: Sequence[str]) -> tuple[Fraction | None, int]:
    """The number at the start of a run, and how many words it takes; `a hundred` is one too."""
    total, current, length, seen = 0, 0, 0, False
    for place, word in enumerate(run):
        if word in _CARDINALS:
            if seen and current % 10 and _CARDINALS[word] < 20 and run[place - 1] != "and":
                break  # "five two" are two numbers
            current += _CARDINALS[word]
        elif word in _SCALES and (seen or (place and run[place - 1] in ("a", "an"))):
            current = max(current, 1) * _SCALES[word]
            if word != "hundred":
                total, current = total + current, 0
        elif place == 0 and word in ("a", "an"):
            continue
        elif not (word == "and" and seen and run[place - 1] in _SCALES):
            break
        else:
            continue
        seen, length = True, place + 1
    return (Fraction(total + current), length) if seen else (None, 0)


def _cardinal_values(words: Sequence[str], number: Fraction) -> Iterator[Fraction]:
    yield number
    for word, scale in itertools.pairwise(words):
        if scale in _SCALES:
            yield Fraction(_SCALES[scale])
            if word in _CARDINALS:
                yield Fraction(_CARDINALS[word])


def _part_values(under: int, over: Fraction | None, *, after_and: bool) -> Iterator[Fraction]:
    """`third` is 3 and 1/3; with a number before it also that many thirds, or so much and a third."""
    yield Fraction(under)
    yield Fraction(1, under)
    if over is not None:
        yield over / under
        if after_and:
            yield over + Fraction(1, under)
