"""Whatever a text says, running, checking and rewriting it ends in a value or in our own error."""

import contextlib
import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pseudocode import Limits, ParseError, Program, Result, parse, run
from pseudocode.errors import Code, PseudocodeError
from pseudocode.findings import check
from pseudocode.formatter import format_program
from pseudocode.grammar import LEVELS, Level
from pseudocode.program import Instruction, Kind, Text
from pseudocode.python_reader import from_python
from pseudocode.python_writer import to_python
from tests.pseudocode.random_programs import damaged, random_program

SHORT = Limits(max_steps=500, timeout_s=60.0)
PIECES = [
    *'ab10.=+-*/%()[]{}:<>!#"\\ ,\n\t',
    "return ",
    "返回 ",
    "if ",
    "如果 ",
    " then\n",
    " 那么\n",
    "else\n",
    "else if ",
    "end\n",
    "结束\n",
    "repeat ",
    " times\n",
    "while ",
    "for each ",
    " in ",
    "append ",
    " to ",
    "ask ",
    "min(",
    "length(",
    "a = ",
    '"text"',
    " # km\n",
    "总数",
    "9" * 50,
    "\r",
    "\x00",
    "\u3000",
    "\ud800",
]
PYTHON = [
    "def f():\n    ",
    "return ",
    "if a:\n ",
    "for _ in range(",
    "xs.append(",
    "Fraction(",
    "'",
    "lambda ",
]


def outcome(source: str) -> Result:
    return run(source, SHORT, answerer=lambda question: question)


def check_everything(source: str) -> None:
    """Run a text, and if it is a program check it and write it in every form."""
    result = outcome(source)
    assert (result.answer is None) == (result.error is not None)
    assert result.steps <= SHORT.max_steps or (
        result.error is not None and result.error.code == Code.TOO_MANY_STEPS
    )
    assert result.error is None or result.error.message.endswith(".")
    json.dumps([result.answer, [step.value for step in result.trace]], ensure_ascii=False).encode()
    try:
        program = parse(source, SHORT)
    except ParseError:
        return
    check(program, source)
    check_forms(program)


def check_forms(program: Program) -> None:
    text = format_program(program)
    assert parse(text) == parse(format_program(program, "zh")) == program
    assert outcome(text).answer == run(program, SHORT, answerer=lambda question: question).answer
    try:
        python = to_python(program)
    except PseudocodeError:
        assert any(
            isinstance(part, Text) or part == "ask" or "table" in part for part in parts_of(program)
        )
    else:
        assert from_python(python) == program


def parts_of(program: Program) -> Iterator[Instruction | Kind]:
    for line in program.lines:
        yield line.kind
        yield from line.code


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(LEVELS), st.integers(0, 10**9))
def test_programs_made_by_the_grammar(level: Level, seed: int) -> None:
    check_everything(random_program(seed, level))


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(LEVELS), st.integers(0, 10**9))
def test_damaged_programs(level: Level, seed: int) -> None:
    check_everything(damaged(random_program(seed, level), seed))


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@example('x = "\ud800"\nreturn x')
@example("a=1\x0breturn a")
def test_texts_made_of_pieces_of_programs(text: str) -> None:
    check_everything(text)


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200))
def test_raw_bytes(content: bytes) -> None:
    check_everything(content.decode("utf-8", errors="surrogateescape"))
    check_everything(content.decode("latin-1"))


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from([*PIECES, *PYTHON]), max_size=30).map("".join))
def test_python_made_of_pieces(text: str) -> None:
    try:
        program = from_python(text)
    except ParseError:
        return
    check_forms(program)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(deadline=None, max_examples=100)
@given(st.text(max_size=100))
def test_any_text_as_python(text: str) -> None:
    with contextlib.suppress(ParseError):
        check_forms(from_python(text))
