"""Families of executable algorithms: entries, what is right, inputs, and sizes to measure at."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from training.lineage.errors import LineageError
from training.lineage.programs import (
    accepting,
    caches,
    descent,
    divisors,
    fibonacci,
    inputs,
    paths,
    powers,
    primes,
    products,
    searching,
    selection,
    sets,
    sorting,
    strings,
    subarrays,
)
from training.lineage.programs.inputs import Arguments, Make

Program = Callable[..., Any]


@dataclass(frozen=True)
class Family:
    """Algorithms that solve one problem and count the same operation.

    Attributes:
        counted: What an operation is.
        parameters: The arguments of every entry before the counter.
        entries: The programs, by name.
        accepts: Whether a result is right for the arguments.
        inputs: Kinds of inputs by name; programs are right on all but `measured_only`.
        sizes: Where operations are counted, growing.
        sizes_of: Other sizes for entries that would take too long.
        prelude: Functions that the programs use beside themselves.
        measured_only: Kinds of inputs on which some program may fail.
        draws: Inputs of each size that counts are averaged over.
    """

    counted: str
    parameters: str
    entries: dict[str, Program]
    accepts: Callable[[Arguments, Any], bool]
    inputs: dict[str, Make]
    sizes: tuple[int, ...]
    sizes_of: dict[str, tuple[int, ...]] = field(default_factory=dict)
    prelude: tuple[Program, ...] = ()
    measured_only: frozenset[str] = frozenset()
    draws: int = 4


def family(name: str) -> Family:
    """Look a family up.

    Raises:
        LineageError: There is none of that name.
    """
    if name not in FAMILIES:
        raise LineageError(f"there is no family {name!r}; expected one of {', '.join(FAMILIES)}")
    return FAMILIES[name]


def _entries(*programs: Program) -> dict[str, Program]:
    return {program.__name__: program for program in programs}


FAMILIES: dict[str, Family] = {
    "sorting": Family(
        "comparisons of items",
        "items: list[int]",
        _entries(
            sorting.bubble_sort,
            sorting.shellsort,
            sorting.quicksort,
            sorting.introsort,
            sorting.natural_merge_sort,
        ),
        lambda arguments, result: bool(result == sorted(arguments[0])),  # type: ignore[arg-type,type-var]
        {"shuffled": inputs.shuffled, "in order": inputs.in_order},
        (64, 128, 256, 512),
    ),
    "searching": Family(
        "probes of the list",
        "items: list[int], key: int",
        _entries(
            searching.sequential_search,
            searching.binary_search,
            searching.interpolation_search,
            searching.exponential_search,
        ),
        accepting.finds_key,
        {
            "even spread": inputs.even_spread_key,
            "near the front": inputs.key_near_the_front,
            "uneven spread": inputs.key_in_powers,
        },
        (256, 1024, 4096, 16384),
        draws=16,
    ),
    "string-matching": Family(
        "looks at a character of the text",
        "text: str, pattern: str",
        _entries(
            strings.naive_match,
            strings.knuth_morris_pratt,
            strings.boyer_moore,
            strings.horspool,
            strings.backward_nondeterministic,
        ),
        accepting.finds_places,
        {
            "english": inputs.english_text,
            "repetitive": inputs.repetitive_text,
            "dna": inputs.dna_text,
            "two letters": inputs.any_text,
        },
        (500, 1000, 2000, 4000),
    ),
    "shortest-path": Family(
        "edges tried and queue steps",
        "grid: list[list[int]]",
        _entries(paths.bellman_ford, paths.dijkstra_scan, paths.dijkstra_heap, paths.a_star),
        accepting.is_distance,
        {"weighted grid": inputs.weighted_grid, "open grid": inputs.open_grid},
        (6, 9, 13, 19),
    ),
    "recurrence": Family(
        "additions and multiplications of terms",
        "n: int",
        _entries(
            fibonacci.plain_recursion,
            fibonacci.memoised,
            fibonacci.two_variables,
            fibonacci.matrix_power,
            fibonacci.fast_doubling,
        ),
        accepting.is_term,
        {"term": inputs.whole_number},
        (64, 256, 1024, 4096),
        {"plain_recursion": (8, 11, 14, 17)},
        draws=1,
    ),
    "powers": Family(
        "multiplications",
        "base: int, exponent: int, modulus: int",
        _entries(
            powers.repeated_multiplication,
            powers.square_and_multiply,
            powers.window_power,
            powers.sliding_window_power,
        ),
        lambda arguments, result: bool(result == pow(*arguments)),  # type: ignore[arg-type]
        {"small power": inputs.small_power, "large power": inputs.large_power},
        (64, 128, 256, 512),
        measured_only=frozenset({"large power"}),
        draws=16,
    ),
    "divisors": Family(
        "operations on full-length numbers",
        "a: int, b: int",
        _entries(
            divisors.repeated_subtraction,
            divisors.euclid_remainders,
            divisors.least_remainders,
            divisors.lehmer,
        ),
        lambda arguments, result: bool(result == math.gcd(*arguments)),  # type: ignore[arg-type]
        {"far apart": inputs.far_numbers, "many bits": inputs.bit_numbers},
        (128, 256, 512, 1024),
        measured_only=frozenset({"many bits"}),
        draws=16,
    ),
    "primes": Family(
        "numbers crossed out or written",
        "limit: int",
        _entries(primes.eratosthenes, primes.linear_sieve, primes.wheel_sieve),
        accepting.are_primes,
        {"limit": inputs.whole_number},
        (1000, 4000, 16000, 64000),
        draws=1,
    ),
    "descent": Family(
        "gradients",
        "curvatures: list[float], kinked: bool, x: list[float]",
        _entries(
            descent.gradient_descent,
            descent.heavy_ball,
            descent.nesterov,
            descent.restarted_nesterov,
        ),
        accepting.at_the_minimum,
        {"parabolas": inputs.parabolas, "kinked": inputs.kinked_slope},
        (25, 50, 100, 200),
        prelude=(descent.slopes,),
        measured_only=frozenset({"kinked"}),
    ),
    "caches": Family(
        "misses",
        "requests: list[int], capacity: int",
        _entries(
            caches.first_in_first_out,
            caches.least_recently_used,
            caches.two_queues,
            caches.adaptive_replacement,
            caches.three_queues,
        ),
        accepting.could_be_served,
        {
            "skewed": inputs.skewed_requests,
            "scans": inputs.requests_with_scans,
            "one-hit wonders": inputs.one_hit_wonders,
        },
        (1000, 2000, 4000),
    ),
    "disjoint-sets": Family(
        "pointers followed or set",
        "size: int, pairs: list[list[int]]",
        _entries(
            sets.labels,
            sets.parent_trees,
            sets.weighted_union,
            sets.path_compression,
            sets.path_halving,
        ),
        accepting.tells_together,
        {
            "random": inputs.random_pairs,
            "chained": inputs.chained_pairs,
            "tournament": inputs.tournament_pairs,
        },
        (64, 128, 256, 512),
    ),
    "products": Family(
        "products of digits",
        "left: list[int], right: list[int]",
        _entries(
            products.schoolbook,
            products.karatsuba,
            products.toom_three,
            products.number_transform,
        ),
        accepting.is_product,
        {"digits": inputs.digit_lists},
        (27, 81, 243, 729),
        {"toom_three": (27, 243, 2187, 6561), "number_transform": (27, 243, 2187, 6561)},
        draws=1,
    ),
    "selection": Family(
        "comparisons of items",
        "items: list[int], k: int",
        _entries(
            selection.selection_by_minima,
            selection.quickselect,
            selection.median_of_medians,
            selection.floyd_rivest,
        ),
        lambda arguments, result: bool(result == sorted(arguments[0])[arguments[1]]),  # type: ignore[arg-type,type-var,index]
        {"median": inputs.median_of_shuffled, "last of sorted": inputs.median_of_sorted},
        (125, 250, 500, 1000),
    ),
    "subarrays": Family(
        "additions of items",
        "items: list[int]",
        _entries(
            subarrays.all_sums,
            subarrays.running_sums,
            subarrays.divide_in_halves,
            subarrays.kadane,
        ),
        accepting.is_best_stretch,
        {"signed": inputs.signed},
        (16, 32, 64, 128),
    ),
}
