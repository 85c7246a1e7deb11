"""What is right, family by family, decided without any of the programs that are tested by it."""

import functools
import math
from typing import Any

from training.lineage.programs.inputs import Arguments

LARGE_PRIME = 2**61 - 1


def finds_places(arguments: Arguments, result: object) -> bool:
    """Every place of the pattern, in order."""
    text, pattern = str(arguments[0]), str(arguments[1])
    return result == [i for i in range(len(text)) if text.startswith(pattern, i)]


def finds_key(arguments: Any, result: Any) -> bool:  # noqa: ANN401 - JSON of a known shape
    """A place of the key, or -1 if it is nowhere."""
    items, key = arguments
    return bool(0 <= result < len(items) and items[result] == key) if key in items else result == -1


def is_distance(arguments: Any, result: object) -> bool:  # noqa: ANN401
    """Relax in the plainest way: as often as there are cells."""
    grid = arguments[0]
    rows, columns = len(grid), len(grid[0])
    best = {(r, c): math.inf for r in range(rows) for c in range(columns)}
    best[0, 0] = 0
    for _ in range(rows * columns):
        before = dict(best)
        for r, c in best:
            for cell in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
                best[r, c] = min(best[r, c], best.get(cell, math.inf) + grid[r][c])
        if best == before:
            break
    return result == best[rows - 1, columns - 1]


def is_term(arguments: Any, result: object) -> bool:  # noqa: ANN401
    """The term, by the plain loop."""
    this, following = 0, 1
    for _ in range(arguments[0]):
        this, following = following, this + following
    return result == this


def are_primes(arguments: Any, result: object) -> bool:  # noqa: ANN401
    """All primes up to the limit, by crossing out products."""
    limit = arguments[0]
    composite = {a * b for a in range(2, math.isqrt(limit) + 1) for b in range(a, limit // a + 1)}
    return result == [number for number in range(2, limit + 1) if number not in composite]


def at_the_minimum(_arguments: Arguments, result: Any) -> bool:  # noqa: ANN401
    """A point close to 0, where all functions have their minimum."""
    return all(abs(value) < 1e-4 for value in result)


def could_be_served(arguments: Any, result: Any) -> bool:  # noqa: ANN401
    """A first request is a miss, and nobody can hit more often than with a cache without limit."""
    requests, _ = arguments
    seen: set[int] = set()
    for key, hit in zip(requests, result, strict=False):
        if hit and key not in seen:
            return False
        seen.add(key)
    return len(result) == len(requests) and len(requests) - sum(result) >= _fewest(*arguments)


def _fewest(requests: list[int], capacity: int) -> int:
    """Count the misses of Belady's rule, which looks ahead and is the best there can be."""
    following = [0] * len(requests)
    later: dict[int, int] = {}
    for i in range(len(requests) - 1, -1, -1):
        following[i] = later.get(requests[i], len(requests))
        later[requests[i]] = i
    cache: dict[int, int] = {}
    misses = 0
    for i, key in enumerate(requests):
        if key not in cache:
            misses += 1
            if len(cache) == capacity:
                del cache[max(cache, key=cache.__getitem__)]
        cache[key] = following[i]
    return misses


def tells_together(arguments: Any, result: object) -> bool:  # noqa: ANN401
    """What sets of items say."""
    size, pairs = arguments
    groups = [{item} for item in range(size)]
    expected = []
    for left, right in pairs:
        expected.append(right in groups[left])
        if right not in groups[left]:
            merged = groups[left] | groups[right]
            for item in merged:
                groups[item] = merged
    return result == expected


def is_product(arguments: Any, result: Any) -> bool:  # noqa: ANN401
    """Compare modulo a large prime, which takes linear time for any number of digits."""
    left, right, product = (
        functools.reduce(lambda value, digit: (10 * value + digit) % LARGE_PRIME, digits[::-1], 0)
        for digits in (*arguments, result)
    )
    return bool(left * right % LARGE_PRIME == product)


def is_best_stretch(arguments: Any, result: object) -> bool:  # noqa: ANN401
    """The largest difference of two running sums."""
    lowest = total = best = 0
    for item in arguments[0]:
        total += item
        best = max(best, total - lowest)
        lowest = min(lowest, total)
    return result == best
