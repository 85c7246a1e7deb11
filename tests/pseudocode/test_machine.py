"""Conditions, loops, lists, texts, tables and leaf steps run as they read, within the limits."""

import time

import pytest

from pseudocode import Limits, Result, run

PATIENT = Limits(timeout_s=60.0)


def answer(source: str) -> str | None:
    result = run(source, PATIENT)
    assert result.error is None, result.error
    return result.answer


def code_of(result: Result) -> str | None:
    assert (result.answer is None) == (result.error is not None)
    return result.error.code if result.error else None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("return 3 > 2", "1"),
        ("return (1 < 1) + (1 <= 1) + (2 >= 3) + (2 == 2.0) + (1 != 1)", "2"),
        ("return sum(1, 2, 3.5)", "6.5"),
        ("return 15% * 80 + 50%", "12.5"),
        ("return 12.5%", "0.125"),
        (
            "if 0 then\na = 1\nelse if 1 > 2 then\na = 2\nelse if 5 then\na = 3\nelse\na = 4\nend\nreturn a",
            "3",
        ),
        ("a = 0\nif 0 then\na = 1\nelse if 0 then\na = 2\nend\nreturn a", "0"),
        ("if 1 then\nif 0 then\na = 1\nelse\na = 2\nend\nelse\na = 3\nend\nreturn a", "2"),
        ("if 2 > 1 then\nreturn 5\nend\nreturn 6", "5"),
        ("a = 1\nrepeat 10 times\na = a * 2\nend\nreturn a", "1024"),
        ("a = 1\nrepeat 0 times\na = 2\nend\nreturn a", "1"),
        ("a = 0\nrepeat 3 times\nrepeat 4 times\na = a + 1\nend\nend\nreturn a", "12"),
        ("n = 3\na = 0\nrepeat n times\nn = 1\na = a + 1\nend\nreturn a", "3"),
        ("a = 100\nwhile a > 1\na = a / 2\nend\nreturn a", "0.78125"),
        ("while 0\na = 1\nend\nreturn 7", "7"),
        ("s = 0\nfor each x in [1, 2, 3.5]\ns = s + x\nend\nreturn s", "6.5"),
        ("xs = [1]\nfor each x in xs\nappend 2 to xs\nend\nreturn length(xs)", "2"),
        ("for each x in [5, 6]\nreturn x\nend\nreturn 0", "5"),
        ("xs = []\nys = xs\nappend 1 to xs\nreturn length(ys)", "0"),
        ("xs = [4, 5, 6]\nreturn xs[0] * 100 + xs[-1] * 10 + xs[1]", "465"),
        ("xs = [4, 5, 6]\nreturn max(xs) + min(xs) * sum(xs) + length(xs)", "69"),
        ("xs = []\nreturn sum(xs)", "0"),
        ("x = 1\n对每个 x 在 [2]\ny = x\n结束\n返回 x + y", "4"),
        ('return "a" + 1 + " 个" + 1/3', "a1 个1/3"),
        ('if "a" == "a" then\nreturn 1\nend\nreturn 0', "1"),
        ('return ("a" == 1) + ("a" != "b")', "1"),
        ('t = {"苹果": 3, 2: "b", "苹果": 4}\nreturn t["苹果"] + length(t)', "6"),
        ('t = {"a": 1, "b": 2}\ns = ""\nfor each k in t\ns = s + k + t[k]\nend\nreturn s', "a1b2"),
        ('s = "abc"\nreturn s[0] + s[-1] + length(s)', "ac3"),
        ('return ""', ""),
    ],
)
def test_programs_run_as_they_read(source: str, expected: str) -> None:
    assert answer(source) == expected


@pytest.mark.parametrize(
    ("source", "code", "line"),
    [
        ("repeat 2.5 times\na = 1\nend\nreturn a", "bad_count", 1),
        ("repeat -1 times\na = 1\nend\nreturn a", "bad_count", 1),
        ('repeat "a" times\na = 1\nend\nreturn a', "bad_count", 1),
        ("xs = [1, 2]\nreturn xs[2]", "bad_index", 2),
        ("xs = [1, 2]\nreturn xs[-3]", "bad_index", 2),
        ("xs = [1, 2]\nreturn xs[0.5]", "bad_index", 2),
        ("xs = []\nreturn xs[0]", "bad_index", 2),
        ("a = 1\nreturn a[0]", "wrong_type", 2),
        ("xs = [1]\nreturn xs", "wrong_type", 2),
        ("xs = [1]\nreturn xs + xs", "wrong_type", 2),
        ("xs = [1]\nys = [xs]\nreturn 1", "wrong_type", 2),
        ("xs = [1]\nappend xs to xs\nreturn 1", "wrong_type", 2),
        ("a = 1\nappend 2 to a\nreturn a", "wrong_type", 2),
        ("append 2 to a\nreturn 1", "unknown_name", 1),
        ("for each x in 3\na = 1\nend\nreturn 1", "wrong_type", 1),
        ("xs = [1]\nif xs then\na = 1\nend\nreturn 1", "wrong_type", 2),
        ("if 0 then\na = 1\nend\nreturn a", "unknown_name", 4),
        ("if 0 then\na = 1\nelse if b then\na = 2\nend\nreturn a", "unknown_name", 3),
        ("xs = []\nreturn min(xs)", "wrong_type", 2),
        ("return max(3)", "wrong_type", 1),
        ("xs = [1]\nreturn sum(xs, 2)", "wrong_type", 2),
        ("return length(3)", "wrong_type", 1),
        ('return "a" * 2', "wrong_type", 1),
        ('return -"a"', "wrong_type", 1),
        ('return "a" < "b"', "wrong_type", 1),
        ('return sum("a", 2)', "wrong_type", 1),
        ('xs = [1]\nreturn "a" + xs', "wrong_type", 2),
        ('t = {"a": 1}\nreturn t["b"]', "unknown_key", 2),
        ('t = {"a": [1]}\nreturn 1', "wrong_type", 1),
        ("x = ask 3\nreturn x", "wrong_type", 1),
        ('x = ask "how many?"\nreturn x', "no_answerer", 1),
        ("while 1\na = 1 / 0\nend\nreturn 1", "division_by_zero", 2),
    ],
)
def test_a_failure_has_its_code_and_its_line(source: str, code: str, line: int) -> None:
    result = run(source)
    assert code_of(result) == code
    assert result.error is not None
    assert result.error.line == line
    assert "; expected" in result.error.message or "must not be 0" in result.error.message
    assert result.error.message.endswith(".")


def test_the_trace_has_one_step_per_row_that_is_run() -> None:
    result = run(
        "xs = [1, 2]\nfor each x in xs\n  if x > 1 then\n    append x * 2 to xs # pens\n  end\nend\n"
        'while length(xs) < 3\nxs = []\nend\nt = {"a": "b"}\nrepeat 1 times\nreturn xs[2]\nend\nreturn 0'
    )
    assert [(step.line, step.name, step.value, step.expression) for step in result.trace] == [
        (1, "xs", "[1, 2]", "[1, 2]"),
        (2, "x", "1", "xs"),
        (3, "if", "0", "x > 1"),
        (2, "x", "2", "xs"),
        (3, "if", "1", "x > 1"),
        (4, "xs[2]", "4", "x * 2"),
        (7, "while", "0", "length(xs) < 3"),
        (10, "t", '{"a": "b"}', '{"a": "b"}'),
        (11, "repeat", "1", "1"),
        (12, "return", "4", "xs[2]"),
    ]
    assert result.error is None


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("if a > 1 then", "如果 a > 1 那么"),
        ("repeat 3 times", "重复 3 次"),
        ("while a < 3", "当 a < 3 时"),
        ("while a < 3 do", "当 a < 3"),
        ("for each x in xs", "对每个 x 在 xs"),
        ("for each x in xs", "对每个 x in xs"),
        ("if a > 1 then", "如果 a > 1 then"),
    ],
)
def test_both_languages_run_alike(english: str, chinese: str) -> None:
    program = "a = 2\nxs = [1, 2]\n{}\na = a + 1\n{}\n{} a"
    mine = run(program.format(english, "end", "return"))
    theirs = run(program.format(chinese, "结束", "返回"))
    assert mine == theirs
    assert mine.error is None


def test_a_leaf_step_is_asked_and_its_answer_is_in_the_trace() -> None:
    asked = []

    def answerer(question: str) -> str:
        asked.append(question)
        return " 1,234.5\n" if "price" in question else "red"

    source = (
        'c = ask "What colour?"\nx = 询问 "The price of " + c + " pens?" # dollars\n'
        "return c + x * 2"
    )
    result = run(source, answerer=answerer)
    assert result.answer == "red2469"
    assert result.value is None
    assert asked == ["What colour?", "The price of red pens?"]
    assert [(step.name, step.value, step.expression) for step in result.trace[:2]] == [
        ("c", '"red"', 'ask "What colour?"'),
        ("x", "1234.5", '询问 "The price of " + c + " pens?"'),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-3", "-3"),
        ("+4.50", "4.5"),
        ("20%", "0.2"),
        ("12,345", "12345"),
        ("12,34", '"12,34"'),
        ("3 pens", '"3 pens"'),
        ("1e3", '"1e3"'),
        ("", '""'),
        ("٣", '"٣"'),
    ],
)
def test_an_answer_is_a_number_where_it_reads_as_one(text: str, value: str) -> None:
    result = run('x = ask "?"\nreturn 1', answerer=lambda _question: text)
    assert result.trace[0].value == value


def test_questions_have_a_budget() -> None:
    asked = []

    def answerer(question: str) -> str:
        asked.append(question)
        return "1"

    source = 'a = 0\nrepeat 9 times\nx = ask "?"\na = a + x\nend\nreturn a'
    assert code_of(run(source, answerer=answerer)) == "too_many_asks"
    assert len(asked) == Limits().max_asks == 8
    assert run(source, Limits(max_asks=9), answerer=answerer).answer == "9"
    assert code_of(run(source, Limits(max_asks=0), answerer=answerer)) == "too_many_asks"


@pytest.mark.parametrize(
    ("text", "code"),
    [("x" * 1_001, "text_too_long"), ("9" * 1_001, "text_too_long"), ("9" * 1_000, None)],
)
def test_an_answer_has_a_bounded_length(text: str, code: str | None) -> None:
    result = run('x = ask "?"\nreturn x', answerer=lambda _question: text)
    assert code_of(result) == code
    short = Limits(max_digits=100)
    assert code_of(run('x = ask "?"\nreturn x', short, answerer=lambda _question: "9" * 101)) == (
        "number_too_long"
    )


def test_what_the_answerer_raises_passes_through() -> None:
    def broken(_question: str) -> str:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        run('x = ask "?"\nreturn x', answerer=broken)


ENDLESS = {
    "an endless loop": ("while 1\na = 1\nend\nreturn a", "too_many_steps"),
    "a huge count": ("repeat 10 ** 900 times\na = 1\nend\nreturn a", "too_many_steps"),
    "loops that do nothing": (
        "xs = []\nrepeat 10 ** 30 times\nrepeat 10 ** 30 times\nfor each x in xs\na = 1\nend\nend\nend\nreturn 1",
        "too_many_steps",
    ),
    "squares in a loop": ("a = 3\nwhile 1\na = a * a\nend\nreturn a", "number_too_long"),
    "powers in a loop": ("a = 3\nwhile 1\na = a ** a\nend\nreturn a", "number_too_long"),
    "a list that grows": (
        "xs = []\nwhile 1\nappend 10 ** 999 * length(xs) to xs\nend\nreturn 1",
        "number_too_long",
    ),
    "a list of long numbers": (
        "xs = []\nwhile 1\nappend 9 ** 900 to xs\nend\nreturn 1",
        "trace_too_long",
    ),
    "sums of growing lists": (
        "xs = []\nn = 1\nwhile 1\nn = n + 1\nappend 1 / n to xs\ns = sum(xs)\nend\nreturn s",
        "too_many_steps",
    ),
    "copies of a long list": (
        f"xs = [{', '.join(['1'] * 5_000)}]\nwhile 1\nys = xs\nend\nreturn 1",
        "too_many_steps",
    ),
    "a list literal of 30,000 items": (
        f"xs = [{','.join(['1'] * 30_000)}]\nreturn 1",
        "too_many_steps",
    ),
    "long lists that are only looked at": (
        f"while length([{','.join(['1'] * 25_000)}]) > 0\na = 1\nend\nreturn 1",
        "too_many_steps",
    ),
    "a text that grows": ('s = "ab"\nwhile 1\ns = s + s\nend\nreturn s', "text_too_long"),
    "a long name in a loop": (
        f"while 1\n{'a' * 60_000} = 1\nend\nreturn 1",
        "trace_too_long",
    ),
    "a long line in a loop": (
        f"while 1\na = 1{' ' * 30_000}+ 1{' ' * 30_000}+ 1\nend\nreturn 1",
        "trace_too_long",
    ),
    "long fractions in a loop": (
        "a = 7 ** 1100\nwhile 1\nb = 1 / a\nend\nreturn 1",
        "trace_too_long",
    ),
    "many conditions": ("if 1 then\na=1\nend\n" * 3_000 + "return a", None),
    "deep blocks": ("if 1 then\n" * 3_000 + "a = 1\n" + "end\n" * 3_000 + "return a", "too_deep"),
    "deep blocks without an end": ("if 1 then\n" * 6_000 + "return 1", "no_end"),
    "deep lists": ("return " + "[" * 20_000 + "1" + "]" * 20_000, "too_deep"),
    "deep places": ("return " + "a[" * 15_000 + "1" + "]" * 15_000, "too_deep"),
    "many branches": ("if 0 then\na=1\n" + "else if 0 then\na=1\n" * 2_500 + "end\nreturn 1", None),
    "ends alone": ("end\n" * 15_000 + "return 1", "syntax"),
    "a long text": (f'return "{"a" * 60_000}"', "syntax"),
    "an open quotation": ('return "' * 8_000, "syntax"),
    "a long unit": ("return 1 # " + "a " * 30_000, "syntax"),
    "spaces": ("while a" + " " * 60_000 + "< 3\na = 1\nend\nreturn 1", "unknown_name"),
    "spaces and quotes": ('a = "' + '" "' * 20_000, "syntax"),
    "equal signs": ("=" * 60_000, "syntax"),
    "hash signs": ("#" * 60_000, "empty"),
    "percent signs": ("return 1" + "%" * 60_000, "syntax"),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_whatever_a_program_does_it_ends_soon_with_the_right_reason(what: str) -> None:
    source, code = ENDLESS[what]
    run("return 1")  # the first run of all reads the grammar
    started_s = time.thread_time()
    result = run(source, PATIENT)
    assert time.thread_time() - started_s < 2.0
    assert code_of(result) == code


def test_the_clock_stops_what_the_steps_do_not() -> None:
    source = f"xs = [{','.join(['1'] * 25_000)}]\nwhile length(xs) > 0\na = length([{','.join(['2'] * 5_000)}])\nend\nreturn 1"
    started_s = time.thread_time()
    result = run(source, Limits(max_steps=10**9, timeout_s=0.3, max_trace_chars=10**9))
    assert code_of(result) == "too_slow"
    assert time.thread_time() - started_s < 2.0


def test_blocks_nest_as_deep_as_promised() -> None:
    def program(depth: int) -> str:
        return "if 1 then\n" * depth + "a = 1\n" + "end\n" * depth + "return a"

    assert run(program(64)).answer == "1"
    failed = run(program(65))
    assert code_of(failed) == "too_deep"
    assert failed.error is not None
    assert failed.error.line == 65


def test_a_straight_program_of_five_lines_takes_less_than_a_millisecond() -> None:
    source = "pens = 3\nprice = 4.50\ncost = pens * price\nleft = 20 - cost\nreturn left"
    run(source)
    times_s = []
    for _ in range(50):
        started_s = time.thread_time()
        run(source)
        times_s.append(time.thread_time() - started_s)
    assert min(times_s) < 0.001
