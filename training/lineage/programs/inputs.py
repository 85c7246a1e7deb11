"""Inputs of every family, by kind and size; the same seed gives the same input.

Every argument is plain JSON, so that a program in another process can be given it.
"""

import random
import string
from collections.abc import Callable

from pydantic import JsonValue

Arguments = list[JsonValue]
Make = Callable[[int, random.Random], Arguments]


def shuffled(size: int, rng: random.Random) -> Arguments:
    """Distinct numbers in no order."""
    items = list(range(size))
    rng.shuffle(items)
    return [list[JsonValue](items)]


def in_order(size: int, _rng: random.Random) -> Arguments:
    """Numbers in order already."""
    return [list[JsonValue](range(size))]


def signed(size: int, rng: random.Random) -> Arguments:
    """Numbers above and below 0."""
    return [[rng.randint(-50, 50) for _ in range(size)]]


def even_spread_key(size: int, rng: random.Random) -> Arguments:
    """A sorted list of evenly spread values and one of them."""
    items = sorted(rng.sample(range(100 * size), size))
    return [list[JsonValue](items), rng.choice(items)]


def key_near_the_front(size: int, rng: random.Random) -> Arguments:
    """The same, but the key is one of the first eight."""
    items = sorted(rng.sample(range(100 * size), size))
    return [list[JsonValue](items), rng.choice(items[:8])]


def key_in_powers(size: int, rng: random.Random) -> Arguments:
    """A sorted list of squares, which are not evenly spread, and one near the front."""
    items = [place**4 for place in range(size)]
    return [list[JsonValue](items), items[rng.randrange(min(8, size))]]


def english_text(size: int, rng: random.Random) -> Arguments:
    """Words drawn at random, and a phrase of them to find."""
    words = [
        "the",
        "of",
        "and",
        "a",
        "to",
        "in",
        "is",
        "was",
        "he",
        "for",
        "it",
        "with",
        "as",
        "his",
        "on",
        "be",
        "at",
        "by",
        "had",
        "not",
        "from",
    ]
    text = " ".join(rng.choice(words) for _ in range(size))[:size]
    start = rng.randrange(max(1, size - 12))
    return [text, text[start : start + 12]]


def repetitive_text(size: int, _rng: random.Random) -> Arguments:
    """One letter throughout, and a pattern that fails at its end."""
    return ["a" * size, "a" * 12 + "b"]


def dna_text(size: int, rng: random.Random) -> Arguments:
    """Four letters, and a stretch of the text to find."""
    text = "".join(rng.choice("acgt") for _ in range(size))
    start = rng.randrange(max(1, size - 24))
    return [text, text[start : start + 24]]


def any_text(size: int, rng: random.Random) -> Arguments:
    """Two letters and a short pattern that overlaps itself."""
    text = "".join(rng.choice(string.ascii_lowercase[:2]) for _ in range(size))
    return [text, rng.choice(["a", "ab", "aba", "abab", "aabaa"])]


def weighted_grid(size: int, rng: random.Random) -> Arguments:
    """A square of cells that cost 1 to 9 to enter."""
    return [[[rng.randint(1, 9) for _ in range(size)] for _ in range(size)]]


def open_grid(size: int, _rng: random.Random) -> Arguments:
    """A square of cells that all cost 1."""
    return [[[1 for _ in range(size)] for _ in range(size)]]


def whole_number(size: int, _rng: random.Random) -> Arguments:
    """The size itself."""
    return [size]


def large_power(size: int, rng: random.Random) -> Arguments:
    """A base, an exponent of so many bits, and a modulus of 61 bits."""
    return [rng.randrange(2, 2**60), rng.randrange(2 ** (size - 1), 2**size), 2**61 - 1]


def small_power(size: int, rng: random.Random) -> Arguments:
    """A base, the size as exponent, and a small modulus."""
    return [rng.randrange(2, 1000), size, 10007]


def bit_numbers(size: int, rng: random.Random) -> Arguments:
    """Two numbers of so many bits."""
    return [rng.randrange(2 ** (size - 1), 2**size), rng.randrange(2 ** (size - 1), 2**size)]


def far_numbers(size: int, rng: random.Random) -> Arguments:
    """A number of the given size and a small one."""
    return [size * rng.randint(5, 9) + 1, rng.randint(3, 9)]


def parabolas(size: int, rng: random.Random) -> Arguments:
    """Curvatures from 1 to the size, which is the condition number, and a start."""
    curvatures = [1 + (size - 1) * place / 7 for place in range(8)]
    return [list[JsonValue](curvatures), False, [rng.uniform(1, 2) for _ in curvatures]]


def kinked_slope(size: int, _rng: random.Random) -> Arguments:
    """The function on which tuned heavy-ball momentum runs in a circle."""
    return [[1.0, float(size)], True, [3.3]]


def skewed_requests(size: int, rng: random.Random) -> Arguments:
    """Keys by Zipf's law, and a cache for a tenth of the keys."""
    keys = max(20, size // 10)
    weights = [1 / rank for rank in range(1, keys + 1)]
    return [list[JsonValue](rng.choices(range(keys), weights, k=size)), keys // 10]


def requests_with_scans(size: int, rng: random.Random) -> Arguments:
    """Zipf's law, broken by runs of keys that never come again."""
    keys = max(20, size // 20)
    weights = [1 / rank for rank in range(1, keys + 1)]
    requests: list[JsonValue] = []
    fresh = keys
    while len(requests) < size:
        requests += rng.choices(range(keys), weights, k=keys)
        requests += range(fresh, fresh + keys // 2)
        fresh += keys // 2
    return [requests[:size], max(4, keys // 5)]


def one_hit_wonders(size: int, rng: random.Random) -> Arguments:
    """Zipf's law, with two of three requests for a key that comes once, as at web caches."""
    keys = max(40, size // 20)
    weights = [1 / rank for rank in range(1, keys + 1)]
    drawn = iter(rng.choices(range(keys), weights, k=size))
    requests: list[JsonValue] = [
        keys + place if rng.random() < 2 / 3 else next(drawn) for place in range(size)
    ]
    return [requests, max(10, keys // 4)]


def random_pairs(size: int, rng: random.Random) -> Arguments:
    """Twice as many pairs as items."""
    return [size, [[rng.randrange(size), rng.randrange(size)] for _ in range(2 * size)]]


def chained_pairs(size: int, rng: random.Random) -> Arguments:
    """Pairs that string all items together, then questions about the first."""
    pairs: list[JsonValue] = [[0, place] for place in range(1, size)]
    pairs += [[0, rng.randrange(size)] for _ in range(size)]
    return [size, pairs]


def tournament_pairs(size: int, rng: random.Random) -> Arguments:
    """Merges of equals, which make the deepest trees by weight, then many questions."""
    pairs: list[JsonValue] = []
    step = 1
    while step < size:
        pairs += [[start, start + step] for start in range(0, size - step, 2 * step)]
        step *= 2
    pairs += [[rng.randrange(size), rng.randrange(size)] for _ in range(4 * size)]
    return [size, pairs]


def digit_lists(size: int, rng: random.Random) -> Arguments:
    """Two numbers of so many decimal digits, the lowest first."""
    left: list[JsonValue] = [rng.randint(0, 9) for _ in range(size)]
    right: list[JsonValue] = [rng.randint(0, 9) for _ in range(size)]
    return [left, right]


def median_of_shuffled(size: int, rng: random.Random) -> Arguments:
    """Numbers in no order, and the place of the median."""
    return [*shuffled(size, rng), size // 2]


def median_of_sorted(size: int, rng: random.Random) -> Arguments:
    """Numbers in order, and the last place."""
    return [*in_order(size, rng), size - 1]
