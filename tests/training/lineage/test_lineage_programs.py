"""The programs are right, and what their lineages claim is true when counted."""

import random

import pytest

from pseudocode.evolution.screening import screen
from training.lineage.loading import load
from training.lineage.measuring import count, fitted_order, is_executable, measure
from training.lineage.programs.families import FAMILIES, family
from training.lineage.programs.operations import Operations
from training.lineage.stages import bare_source

PROGRAMS = [(name, entry) for name, found in FAMILIES.items() for entry in found.entries]
SMALL = {"powers": (1, 2, 7, 40), "caches": (60, 200), "descent": (5, 25), "recurrence": (2, 5, 12)}
CHEAP = ["sorting", "subarrays", "recurrence", "powers", "divisors", "searching", "descent"]


@pytest.mark.parametrize(("name", "entry"), PROGRAMS, ids=lambda value: str(value))
def test_a_program_is_right_on_small_inputs_of_every_kind(name: str, entry: str) -> None:
    found = FAMILIES[name]
    sizes = SMALL.get(name, (9, 20, 40))
    for kind, make in found.inputs.items():
        if kind in found.measured_only:
            continue
        for size in sizes:
            for seed in range(3):
                if name in ("string-matching", "products") and size < 20:
                    continue
                arguments = make(size, random.Random(seed))  # noqa: S311 - inputs
                operations = Operations()
                result = found.entries[entry](*arguments, operations)
                assert found.accepts(arguments, result), (kind, size, seed, result)
                assert operations.total >= 0


@pytest.mark.parametrize(
    ("name", "arguments", "wrong"),
    [
        ("sorting", [[2, 1]], [2, 1]),
        ("searching", [[1, 5], 5], -1),
        ("string-matching", ["aab", "ab"], [0]),
        ("shortest-path", [[[1, 1], [1, 1]]], 3),
        ("recurrence", [7], 12),
        ("powers", [2, 5, 100], 31),
        ("divisors", [12, 18], 3),
        ("primes", [10], [2, 3, 5, 7, 9]),
        ("descent", [[1.0], False, [1.0]], [0.5]),
        ("caches", [[1, 2, 1], 2], [True, False, True]),
        ("disjoint-sets", [3, [[0, 1], [1, 0]]], [False, False]),
        ("products", [[2], [3]], [7]),
        ("selection", [[5, 4, 6], 0], 5),
        ("subarrays", [[1, -2, 3]], 4),
    ],
)
def test_a_wrong_result_is_not_accepted(name: str, arguments: list[object], wrong: object) -> None:
    assert not FAMILIES[name].accepts(arguments, wrong)  # type: ignore[arg-type]


def test_a_cache_cannot_claim_fewer_misses_than_the_best_with_foresight() -> None:
    arguments = FAMILIES["caches"].inputs["skewed"](60, random.Random(0))  # noqa: S311 - inputs
    requests = arguments[0]
    assert isinstance(requests, list)
    every_return_hits = [key in requests[:place] for place, key in enumerate(requests)]
    assert not FAMILIES["caches"].accepts(arguments, every_return_hits)


@pytest.mark.parametrize("name", FAMILIES)
def test_programs_stand_alone_so_that_their_text_can_be_run_in_confinement(name: str) -> None:
    found = FAMILIES[name]
    for entry, program in found.entries.items():
        source = bare_source(*found.prelude, program)
        assert screen(source, entry) == []
        assert "->" not in source
        assert '"""' not in source


@pytest.mark.parametrize("name", CHEAP)
def test_the_claims_of_a_lineage_hold_when_counted(name: str) -> None:
    (lineage,) = [lineage for lineage in load() if lineage.id == name]
    measured = measure(lineage)
    assert is_executable(lineage)
    assert len(measured.improvements) == sum(edge.measured_on is not None for edge in lineage.edges)
    assert all(claim.holds for claim in measured.improvements), measured.improvements


def test_fitted_orders_are_those_of_the_books() -> None:
    (lineage,) = [lineage for lineage in load() if lineage.id == "subarrays"]
    orders = {curve.node: curve.order for curve in measure(lineage).curves}
    assert orders["all-sums"] == pytest.approx(3, abs=0.15)
    assert orders["running-sums"] == pytest.approx(2, abs=0.1)
    assert orders["kadane"] == pytest.approx(1, abs=0.01)


def test_the_order_is_the_slope_in_logarithms() -> None:
    assert fitted_order([10, 20, 40], [100, 400, 1600]) == pytest.approx(2)
    assert fitted_order([10], [100]) == 0.0


def test_known_counts() -> None:
    assert count(family("subarrays"), "kadane", "signed", 128) == 128
    assert count(family("sorting"), "natural_merge_sort", "in order", 64) == 63
    assert count(family("products"), "karatsuba", "digits", 27) < 27 * 27
