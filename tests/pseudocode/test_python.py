"""Programs become Python and back, and CPython gets the same answers from them."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from pseudocode import ParseError, Program, parse, run
from pseudocode.errors import Code, PseudocodeError
from pseudocode.formatter import format_program
from pseudocode.grammar import Level
from pseudocode.python_reader import from_python
from pseudocode.python_writer import to_python
from tests.pseudocode.random_programs import random_program

PROGRAMS = 1_200

# Answers as hexadecimal fractions, since Python writes long decimals only up to a limit.
CALLING = """
def outcome(solution):
    try:
        answer = Fraction(solution())
    except ZeroDivisionError:
        return "division_by_zero"
    except IndexError:
        return "bad_index"
    except ValueError:
        return "wrong_type"
    return f"{answer.numerator:x}/{answer.denominator:x}"

print(json.dumps([outcome(solution) for solution in SOLUTIONS]))
"""


def cpython(programs: list[Program], folder: Path) -> list[str]:
    """What CPython answers to each program: a fraction in hexadecimal, or what went wrong."""
    texts = [
        to_python(program).replace("def solution(", f"def solution_{number}(")
        for number, program in enumerate(programs)
    ]
    names = ", ".join(f"solution_{number}" for number in range(len(texts)))
    script = folder / "programs.py"
    script.write_text(
        "\n\n".join(
            [
                "import json",
                "from fractions import Fraction",
                *texts,
                f"SOLUTIONS = [{names}]",
                CALLING,
            ]
        ),
        encoding="utf-8",
    )
    ended = subprocess.run(
        [sys.executable, "-I", str(script)], capture_output=True, text=True, check=True, timeout=120
    )
    outcomes: list[str] = json.loads(ended.stdout)
    return outcomes


def ours(program: Program) -> str:
    result = run(program)
    if result.error:
        return result.error.code
    value = result.value
    assert value is not None
    return f"{value.numerator:x}/{value.denominator:x}"


@pytest.mark.parametrize("level", ["straight", "control"])
def test_cpython_answers_as_the_interpreter_does(level: Level, tmp_path: Path) -> None:
    outcomes = {
        program: ours(program)
        for program in (parse(random_program(seed, level)) for seed in range(PROGRAMS))
    }
    # CPython has no limits and would compute for ever.
    within = {
        program: outcome
        for program, outcome in outcomes.items()
        if outcome not in ("number_too_long", "too_many_steps")
    }
    assert list(within.values()) == cpython(list(within), tmp_path)
    assert len(within) > 0.8 * PROGRAMS
    assert sum("/" in outcome for outcome in within.values()) > 0.5 * PROGRAMS


@pytest.mark.parametrize("level", ["straight", "control"])
def test_a_program_comes_back_from_python_as_it_was(level: Level) -> None:
    for seed in range(250):
        program = parse(random_program(seed, level))
        assert from_python(to_python(program)) == program


def test_python_looks_as_people_write_it() -> None:
    source = """price = 4.50 # dollars
总数 = 3 / 4 / 2 * 20%
min = 2 ** -1
xs = []
repeat 3 times
  append price to xs
end
repeat min times
  x = xs[length(xs) - 1]
end
for each x in xs
  if x > 2 then
    min = max(x, min) + sum(1, 2) + sum(xs)
  else if (x < 1) == 0 then
    return floor(x) % 2
  else
    while x < 3
      x = x + 1
    end
  end
end
return xs[-1]"""
    assert (
        to_python(parse(source))
        == """import math
from fractions import Fraction


def count(value):
    if value < 0:
        raise ValueError(value)
    return whole(value)


def whole(value):
    if int(value) != value:
        raise ValueError(value)
    return int(value)


def solution():
    price = Fraction("4.5")  # dollars
    总数 = Fraction(3) / 4 / 2 * Fraction("20e-2")
    min_ = Fraction(2) ** -1
    xs = []
    for _ in range(3):
        xs = [*xs, price]
    for _ in range(count(min_)):
        x = xs[whole(len(xs) - 1)]
    for x in xs:
        if x > 2:
            min_ = max(x, min_) + sum((1, 2)) + sum(xs)
        elif int(x < 1) == 0:
            return math.floor(x) % 2
        else:
            while x < 3:
                x = x + 1
    return xs[-1]
"""
    )
    assert from_python(to_python(parse(source))) == parse(source)


SCRIPT = '''
import math

def simple_math_problem() -> int:
    """
    How many?
    """
    pens: int = 1_000  # pens
    price = 4.50
    total = 0
    total += pens * price
    items = [1, 2.5e1]
    items.append(total)
    for _ in range(2):
        total = total - 1
    for item in items:
        if item > 3: total = total + math.ceil(item)
        else:
            total = +total // True
    return round(total / 2)
'''


def test_python_as_models_write_it_is_read() -> None:
    assert format_program(from_python(SCRIPT)) == (
        """pens = 1000 # pens
price = 4.5
total = 0
total = total + pens * price
items = [1, 25]
append total to items
repeat 2 times
  total = total - 1
end
for each item in items
  if item > 3 then
    total = total + ceil(item)
  else
    total = total // 1
  end
end
return round(total / 2)
"""
    )


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("a = 2\nprint(a + 1)", "return a + 1"),
        ("a = 2\na * 3", "return a * 3"),
        ("a = 2\nanswer = a * 3", "return answer"),
        ("a = 2\nmax(a, 3)", "return max(a, 3)"),
    ],
)
def test_a_script_returns_its_last_value(text: str, last: str) -> None:
    assert format_program(from_python(text)).splitlines()[-1] == last


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import os\nreturn 1", 1),
        ("a = 1\n__import__('os').system('true')", 2),
        ("a = input()\nprint(a)", 1),
        ("a = lambda: 3\nprint(a)", 1),
        ("a = [x for x in y]\nprint(a)", 1),
        ("a, b = 1, 2\nprint(a)", 1),
        ("a = 'text'\nprint(a)", 1),
        ("a = 1\nbreak", 2),
        ("for i in range(3):\n    a = i\nprint(i)", 1),
        ("while 1:\n    continue\nprint(1)", 2),
        ("print(round(2.345, 2))", 1),
        ("print(1 < 2 < 3)", 1),
        ("print(int(7 / 2))", 1),
        ("print(1 if 2 else 3)", 1),
        ("print(2 @ 3)", 1),
        ("print(~2)", 1),
        ("print(not 2)", 1),
        ("print([1][0])", 1),
        ("print(sqrt(2))", 1),
        ("print(min(1, key=2))", 1),
        ("a.b += 2\nprint(1)", 1),
        ("a = b = 1\nprint(a)", 1),
        ("for a, b in c:\n    d = 1\nprint(1)", 1),
        ("while 0:\n    a = 1\nelse:\n    b = 1\nprint(1)", 1),
        ("a = 1\nassert a", 2),
        ("f(1)\nprint(1)", 1),
        ("xs.extend(1)\nprint(1)", 1),
        ("print(1e999999999)", 1),
        ("print(Fraction('1e9'))", 1),
        ("a.b = 2\nprint(1)", 1),
        ("if 1:\n    pass\nprint(1)", 2),
        ("def f(x):\n    return x", 1),
        ("def f():\n    return", 2),
        ("class A:\n    pass\nprint(1)", 1),
    ],
)
def test_what_the_dialect_has_no_form_for_is_refused(text: str, line: int) -> None:
    with pytest.raises(ParseError) as caught:
        from_python(text)
    assert (caught.value.code, caught.value.line) == (Code.NOT_CONVERTIBLE, line)
    assert "expected assignments" in caught.value.message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a = = 2", "syntax"),
        ("\x00", "syntax"),
        ("\ud800", "syntax"),
        ("  a = 1\nb", "syntax"),
        ("", "empty"),
        ("a = 1\n" * 20_000, "source_too_long"),
        (f"print({'(' * 5_000}1{')' * 5_000})", "syntax"),
        (f"print({'-' * 20_000}1)", "syntax"),
        (f"print(1{'+1' * 20_000})", "syntax"),
        (f"print({'abs(' * 80}1{')' * 80})", "too_deep"),
        ("print(" + "9" * 4_000 + ")", "number_too_long"),
        ("print(" + "9" * 5_000 + ")", "syntax"),
        ("print(1" + "0" * 50_000 + ".0)", "number_too_long"),
        (
            "".join(f"{' ' * depth}if 1:\n" for depth in range(90)) + " " * 90 + "a = 1\na",
            "too_deep",
        ),
        ("a = 1  # unit\n" * 4_000 + "a", None),
        ("a = b\n" * 10_000 + "a", None),
    ],
)
def test_bad_python_ends_soon_with_a_reason(text: str, code: str | None) -> None:
    if code is None:
        assert from_python(text).lines
        return
    with pytest.raises(ParseError) as caught:
        from_python(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ('a = 1\nreturn "text"', 2),
        ('t = {"a": 1}\nreturn 1', 1),
        ('a = 2\nb = ask "c"\nreturn b', 2),
    ],
)
def test_the_level_task_has_no_form_in_python(source: str, line: int) -> None:
    with pytest.raises(PseudocodeError) as caught:
        to_python(parse(source))
    assert (caught.value.code, caught.value.line) == (Code.NOT_CONVERTIBLE, line)


def test_a_percentage_comes_back_exactly() -> None:
    program = parse("return 12.5% + 0.1%")
    assert from_python(to_python(program)) == program
    assert run(program).value == Fraction(126, 1000)


def test_names_that_python_keeps_come_back() -> None:
    source = "".join(
        f"{name} = 1\n" for name in ("_", "__", "min", "min_", "class", "class__", "solution", "x_")
    )
    program = parse(f"{source}return min + class")
    text = to_python(program)
    assert from_python(text) == program
    assert "    class_ = 1\n" in text
