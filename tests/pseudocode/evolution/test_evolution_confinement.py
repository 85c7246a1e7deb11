"""What foreign programs may do, and that the rest is refused or stopped."""

import pytest

from pseudocode.evolution.confinement import Bounds, ProgramRefused, run
from pseudocode.evolution.screening import only_function, screen

ADD = "def add(a, b, ops):\n    ops.count(2)\n    return a + b\n"


def test_a_program_returns_its_result_and_what_it_cost() -> None:
    (case,) = run(ADD, "add", [[2, 3]])
    assert case.result == 5
    assert case.operations == 2
    assert 0 < case.instructions < 100
    assert case.error is None


def test_more_work_is_more_instructions_although_the_program_counts_nothing() -> None:
    loop = "def f(n, ops):\n    t = 0\n    for i in range(n):\n        t += i\n    return t\n"
    small, large = run(loop, "f", [[10], [1000]])
    assert small.operations == large.operations == 0
    assert large.instructions > 50 * small.instructions


def test_a_comprehension_on_one_line_hides_nothing() -> None:
    source = "def f(n, ops):\n    return len([i * i for i in range(n)])\n"
    small, large = run(source, "f", [[10], [1000]])
    assert large.instructions > 20 * small.instructions


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import os\ndef f(ops):\n    return 1\n", "import"),
        ("def f(ops):\n    return open('x')\n", "open is neither defined nor allowed"),
        ("def f(ops):\n    return (1).__class__\n", r"\.__class__ is not allowed"),
        ("def f(ops):\n    return __builtins__\n", "__builtins__ is not allowed"),
        ("def f(ops):\n    return '{0.x}'.format(ops)\n", r"\.format is not allowed"),
        ("def f(ops):\n    return eval('1')\n", "eval is neither"),
        (
            "def f(ops):\n    match ops:\n        case object(__class__=c):\n            return c\n",
            "match is not allowed",
        ),
        ("def f(ops):\n    return sorted([2, 1])\n", "sorted is neither"),
        ("def f(ops):\n    try:\n        return 1\n    except ValueError:\n        pass\n", "try"),
        ("class A:\n    pass\ndef f(ops):\n    return 1\n", "a class"),
        ("x = 1\ndef f(ops):\n    return x\n", "only functions are expected"),
        ("@property\ndef f(ops):\n    return 1\n", "decorator"),
        ("def g(ops):\n    return 1\n", "no function 'f'"),
        ("def f(ops:\n", "not Python"),
        ("def f(ops):\n    return 1\n" + "# x\n" * 3000, "characters"),
    ],
)
def test_a_program_that_reaches_out_is_refused(source: str, reason: str) -> None:
    with pytest.raises(ProgramRefused, match=reason):
        run(source, "f", [[]])


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("while True:\n        pass", "more than 20000 instructions"),
        ("return [0] * 10**11", "MemoryError"),
        ("return f(ops)", "RecursionError"),
        ("return 1 // 0", "ZeroDivisionError"),
        ("return {1}", "no plain value"),
    ],
)
def test_a_program_that_goes_wrong_ends_in_an_error_and_not_here(body: str, error: str) -> None:
    (case,) = run(f"def f(ops):\n    {body}\n", "f", [[]], Bounds(max_instructions=20_000))
    assert case.error is not None
    assert error in case.error


def test_one_endless_instruction_ends_with_the_process() -> None:
    (case,) = run("def f(ops):\n    return 7 ** 7 ** 9\n", "f", [[]], Bounds(timeout_s=1.0))
    assert case.error == "no answer within 1 s"


def test_a_program_sees_no_builtins_but_those_allowed() -> None:
    assert screen("def f(a, ops):\n    return zip(a, reversed(a))\n", "f") == []
    assert only_function("def g():\n    pass\ndef f():\n    pass\n") == "f"
    assert only_function("def g(") is None
