"""Programs are computed exactly, within limits, and never raise."""

import itertools
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudocode import Limits, Result, parse, run
from tests.pseudocode.programs import RandomProgram, damaged_programs, programs

# Long enough that a slow machine does not turn another failure into `too_slow`.
PATIENT = Limits(timeout_s=60.0)


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("total = 5 + 7\nreturn total", "12"),
        ("cost = 3 * 4.50\nleft = 20 - cost\nreturn left", "6.5"),
        ("总数 = 5 * (3 - 1) ** 2\n剩下 = 总数 - 1\nreturn 剩下", "19"),
        ("return 1 / 3", "1/3"),
        ("return 0.1 + 0.2", "0.3"),
        ("return 7 // 2 + 7 % 2", "4"),
        ("return -7 // 2", "-4"),
        ("return 7 // -2", "-4"),
        ("return -7 % 3", "2"),
        ("return 7 % -3", "-2"),
        ("return 7.5 % 2", "1.5"),
        ("return -2 ** 2", "-4"),
        ("return (-2) ** 2", "4"),
        ("return 2 ** -2", "0.25"),
        ("return 2 ** 3 ** 2", "512"),
        ("return 0 ** 0", "1"),
        ("return 4 ** (1 / 1)", "4"),
        ("return 8 / 4 / 2", "1"),
        ("return 8 - 4 - 2", "2"),
        ("return 2 + 3 * 4", "14"),
        ("return min(3, 1, 2) + max(3, 9)", "10"),
        ("return abs(-3) + floor(-1/2) + ceil(1/3)", "3"),
        ("return round(2.5) + round(3.5)", "6"),
        ("return round(-2.5)", "-2"),
        ("return 1 ** 100000000000000000000", "1"),
        ("return (-1) ** 100000000000000000001", "-1"),
        ("return (-1) ** -2", "1"),
        ("return 0 ** 100000000000000000000", "0"),
        ("a = 1\na = a + 1\nreturn a", "2"),
        ("return 1" + " + 1" * 2000, "2001"),
    ],
)
def test_answers_are_exact(source: str, answer: str) -> None:
    result = run(source)
    assert result.error is None
    assert result.answer == answer


@settings(deadline=None, max_examples=300)
@given(programs())
def test_random_programs_equal_plain_fractions(program: RandomProgram) -> None:
    result = run(program.text, PATIENT)
    if program.value is None:
        assert result.error is not None
        assert result.error.code == "division_by_zero"
    else:
        assert result.error is None
        assert result.value == program.value
        assert result.trace[-1].value == result.answer


def test_the_trace_has_one_step_per_line_with_the_text_as_written() -> None:
    result = run("cost = 3*4\n\nreturn  20 -  cost")
    steps = [(step.line, step.name, step.value, step.expression) for step in result.trace]
    assert steps == [(1, "cost", "12", "3*4"), (3, "return", "8", "20 -  cost")]
    assert result.steps == 4


def test_the_trace_of_a_failed_program_ends_before_the_failure() -> None:
    result = run("a = 1\nb = a / 0\nreturn b")
    assert [step.name for step in result.trace] == ["a"]
    assert result.error is not None
    assert result.error.line == 2


def test_a_parsed_program_runs_as_its_text_does() -> None:
    source = "a = 1 / 3\nreturn a * 3"
    program = parse(source)
    assert run(program) == run(source)
    assert run(program) == run(program)


@pytest.mark.parametrize(
    ("source", "code", "line"),
    [
        ("a = 1\nb = =", "syntax", 2),
        ("a = 1\n\nreturn a +", "syntax", 3),
        ("return b", "unknown_name", 1),
        ("a = a + 1\nreturn a", "unknown_name", 1),
        ("a = 1\nreturn a / 0", "division_by_zero", 2),
        ("return 5 // 0", "division_by_zero", 1),
        ("return 5 % 0", "division_by_zero", 1),
        ("return 0 ** -1", "division_by_zero", 1),
        ("return 2 ** 0.5", "bad_exponent", 1),
        ("return 1 ** (1 / 3)", "bad_exponent", 1),
        ("return 10 ** 1000", "number_too_long", 1),
        ("return -10 ** 999 * 10", "number_too_long", 1),
        ("return 1 / 10 ** 500 / 10 ** 501", "number_too_long", 1),
    ],
)
def test_a_failure_has_its_code_and_its_line(source: str, code: str, line: int) -> None:
    result = run(source)
    assert (result.answer, result.value) == (None, None)
    assert result.error is not None
    assert (result.error.code, result.error.line) == (code, line)


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("a = 1\nreturn b", ("`b`", "expected one of the names of the lines above (a)", "Give it")),
        ("return b", ("`b`", "(none yet)", "Give it")),
        ("return 7 / 0", ("7 / 0", "must not be 0", "Check the steps")),
        ("return 2 ** 0.5", ("exponent 0.5", "only whole numbers", "Write roots")),
        ("return 9 ** 9 ** 9", ("more than 1000 digits", "most allowed", "Look for a power")),
    ],
)
def test_a_message_names_the_fault_what_was_found_what_was_expected_and_a_remedy(
    source: str, parts: tuple[str, ...]
) -> None:
    error = run(source).error
    assert error is not None
    assert [part for part in parts if part not in error.message] == []


HUGE = {
    "a tower of powers": ("return 9 ** 9 ** 9", "number_too_long"),
    "a huge power": ("return 2 ** 100000000", "number_too_long"),
    "a huge power of a half": ("return 0.5 ** 100000000", "number_too_long"),
    "a huge negative power": ("return 3 ** -100000000", "number_too_long"),
    "squaring again and again": ("a = 3\n" + "a = a * a\n" * 5000 + "return a", "number_too_long"),
    "a literal of 60,000 digits": ("return " + "9" * 60_000, "number_too_long"),
    "a million lines": ("a = 1\n" * 1_000_000 + "return a", "source_too_long"),
    "16,000 lines": ("a=1\n" * 16_000 + "return a", "too_many_steps"),
    "30,000 sums": ("return 1" + "+1" * 30_000, "too_many_steps"),
    "deep parentheses": ("return " + "(" * 30_000 + "1" + ")" * 30_000, "too_deep"),
    "deep sums": ("return " + "1+(" * 15_000 + "1" + ")" * 15_000, "too_deep"),
    "open parentheses": ("return " + "(" * 60_000, "syntax"),
    "many signs": ("return " + "-" * 60_000 + "1", "too_deep"),
    "many powers": ("return " + "2**" * 20_000 + "1", "too_deep"),
    "nested calls": ("return " + "abs(" * 10_000 + "1" + ")" * 10_000, "too_deep"),
    "a call of 30,000 numbers and no end": ("return min(" + "1," * 30_000, "syntax"),
    "a name of 60,000 letters": ("return " + "a" * 60_000, "unknown_name"),
    "60,000 blank lines": ("\n" * 60_000, "empty"),
}


@pytest.mark.parametrize("what", HUGE)
def test_a_huge_program_ends_soon_with_the_right_reason(what: str) -> None:
    source, code = HUGE[what]
    run("return 1")  # the first run of all reads the grammar
    # Time of this thread, since what another process takes from the machine is not ours to bound.
    started_s = time.thread_time()
    result = run(source, PATIENT)
    assert time.thread_time() - started_s < 1.5
    assert result.error is not None
    assert result.error.code == code


def test_long_fractions_on_many_lines_do_not_escape_the_clock() -> None:
    # Parsed before: reading 9,000 lines takes longer in a process that holds much, and has no clock.
    program = parse("a = 0.5 ** 3000\n" + "b = a\n" * 9_000 + "return b")
    started_s = time.thread_time()
    result = run(program, Limits(max_steps=100_000, timeout_s=0.3, max_trace_chars=10**9))
    assert time.thread_time() - started_s < 0.6
    assert result.error is not None
    assert result.error.code == "too_slow"
    assert len(result.trace) > 1


def test_waiting_for_the_machine_is_not_computing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock_s = itertools.count(step=100)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock_s)))
    assert run("a = 1 + 1\nreturn a * 2").answer == "4"


def test_steps_are_operations_and_lines() -> None:
    source = "\n".join(["a = 1", *["a = a + 1"] * 20, "return a"])
    assert run(source, Limits(max_steps=42)).answer == "21"
    failed = run(source, Limits(max_steps=41))
    assert failed.error is not None
    assert (failed.error.code, failed.error.line) == ("too_many_steps", 22)


def test_the_limits_are_those_that_are_promised() -> None:
    assert Limits() == Limits(65_536, 64, 10_000, 1_000, 1.0)


def test_a_number_may_have_as_many_digits_as_promised() -> None:
    assert run("return 10 ** 999").answer == "1" + "0" * 999
    small = Limits(max_digits=3)
    assert run("return 9 * 111", small).answer == "999"
    failed = run("return 1000 * 1000", Limits(max_digits=4))
    assert failed.error is not None
    assert failed.error.code == "number_too_long"


@settings(deadline=None)
@given(st.text())
def test_no_text_whatever_raises(text: str) -> None:
    check_result(run(text))


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="ab1.0=+-*/%()\n ,returnmix总", max_size=60))
def test_no_text_that_looks_like_a_program_raises(text: str) -> None:
    check_result(run(text))


@settings(deadline=None)
@given(damaged_programs())
def test_no_damaged_program_raises(text: str) -> None:
    check_result(run(text))


@pytest.mark.parametrize("text", ["\ud800", "return \ud800", "\x00", "return 1\u2028", "a\x0b= 1"])
def test_odd_characters_do_not_raise(text: str) -> None:
    check_result(run(text))


def check_result(result: Result) -> None:
    """A result has an answer or an error with a line that exists, never both."""
    assert (result.answer is None) == (result.error is not None)
    assert (result.value is None) == (result.answer is None)
    if result.error:
        assert result.error.message.endswith(".")
        assert result.error.line is None or result.error.line >= 1


def test_threads_do_not_disturb_each_other() -> None:
    answers: dict[int, set[str | None]] = {}

    def work(number: int) -> None:
        source = f"a = {number} + 1\nb = a * a\nreturn b - {number}"
        answers[number] = {run(source, PATIENT).answer for _ in range(100)}

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: {str((number + 1) ** 2 - number)} for number in range(4)}
