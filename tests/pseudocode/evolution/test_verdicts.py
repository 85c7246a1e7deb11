"""A proposal is right or wrong, and better or not, by running."""

from collections.abc import Sequence

from pydantic import JsonValue

from pseudocode.evolution.verdicts import judge

SLOW = (
    "def f(n, ops):\n    t = 0\n    for i in range(n + 1):\n        t += i\n    return t\n",
    "f",
)
FAST = ("def g(n, ops):\n    return n * (n + 1) // 2\n", "g")
WRONG = ("def f(n, ops):\n    return n\n", "f")
CASES: list[list[JsonValue]] = [[10], [50]]


def is_sum(arguments: Sequence[JsonValue], result: JsonValue) -> bool:
    (n,) = arguments
    assert isinstance(n, int)
    return result == sum(range(n + 1))


def test_less_work_is_better_and_more_is_not() -> None:
    verdict = judge(FAST, SLOW, CASES, is_sum)
    assert verdict.status == "better"
    assert verdict.work is not None
    assert verdict.work_before is not None
    assert verdict.work < verdict.work_before
    assert judge(SLOW, FAST, CASES, is_sum).status == "no_better"


def test_the_same_program_is_no_better() -> None:
    assert judge(SLOW, SLOW, CASES, is_sum).status == "no_better"


def test_a_wrong_result_is_named() -> None:
    verdict = judge(WRONG, SLOW, CASES, is_sum)
    assert verdict.status == "wrong"
    assert "returned 10" in verdict.message


def test_refused_and_failing_programs_are_told_apart() -> None:
    refused = judge(("import os\n", "f"), SLOW, CASES, is_sum)
    failing = judge(("def f(n, ops):\n    return n[0]\n", "f"), SLOW, CASES, is_sum)
    assert refused.status == "refused"
    assert failing.status == "failed"
    assert "TypeError" in failing.message


def test_a_check_that_cannot_read_a_result_finds_it_wrong() -> None:
    def needs_a_list(_: Sequence[JsonValue], result: JsonValue) -> bool:
        assert result is not None
        return bool(result[0])  # type: ignore[index]

    assert judge(FAST, SLOW, CASES, needs_a_list).status == "wrong"


def test_a_proposal_that_is_right_where_the_old_one_fails_is_better() -> None:
    verdict = judge(FAST, WRONG, CASES, is_sum)
    assert verdict.status == "better"
    assert verdict.work_before is None
