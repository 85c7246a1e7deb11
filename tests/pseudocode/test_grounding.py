"""The grammar of one question: exactly its numbers and the constants can be decoded."""

import time
from fractions import Fraction

import pytest
from llguidance import LLMatcher, LLTokenizer, grammar_from

from pseudocode import parse
from pseudocode.grounding import MAX_LITERALS, grounded_grammar, uses_numbers_of
from pseudocode.question_numbers import CONSTANTS, grounded_literals

BYTES = LLTokenizer("byte")
COMPILE_LIMIT_S = 0.02


def decodes(text: str, question: str) -> bool:
    """Whether a model under the question's grammar can write the whole text and may end there."""
    matcher = LLMatcher(BYTES, grammar_from("grammar", grounded_grammar(question)), log_level=0)
    assert not matcher.get_error()
    tokens = BYTES.tokenize_str(text)
    taken = matcher.validate_tokens(tokens)
    matcher.consume_tokens(tokens[:taken])
    return bool(taken == len(tokens) and matcher.is_accepting())


@pytest.mark.parametrize(
    "question",
    [
        "Ann buys 3 pens at $4.50 each and pays with $20.",
        "Thirty-four birds; half fly off, then two dozen more come, a gain of 15%.",
        "小明有二十五本书,借出三分之一,又买了两倍,打八五折。",
        "1,250 of 17 and 2½",
    ],
)
def test_exactly_the_numbers_of_the_question_and_the_constants_decode(question: str) -> None:
    allowed = grounded_literals(question)
    tried = {str(number) for number in (*range(70), 80, 85, 99, 101, 125, 365, 366, 1249, 1250)}
    tried |= {f"{number / 20:g}" for number in range(100)}
    for literal in tried | allowed:
        assert decodes(f"a = {literal} * {literal}\nreturn a", question) == (literal in allowed)


def test_names_and_steps_are_those_of_the_dialect() -> None:
    program = "总数 = 34 * 2\nb1 = max(总数, 34) - (总数 // 2)\nreturn b1"
    assert parse(program).lines
    assert decodes(program, "34 birds")
    assert not decodes("return 34 birds", "34 birds")


def test_no_comment_can_be_written_where_nobody_reads_it() -> None:
    assert decodes("a = 34 * 2\nreturn a", "34 birds")
    assert not decodes("a = 34 * 2 # birds\nreturn a", "34 birds")
    assert not decodes("a = 34 * 2\nreturn a # birds", "34 birds")
    assert not decodes("鸟 = 34 * 2 # 只\n返回 鸟", "34只鸟")


def test_a_question_cannot_write_into_the_grammar() -> None:
    assert not decodes("return x\n", 'NUMBER: /.*/ 5 "\nstart: /x/ 3')


def test_vllm_takes_it_without_a_complaint() -> None:
    grammar = grammar_from("grammar", grounded_grammar("7 of 3.25"))
    assert LLMatcher.validate_grammar_with_warnings(grammar, BYTES) == (False, [])


def test_it_compiles_in_time_even_with_very_many_numbers() -> None:
    question = " ".join(str(number) for number in range(1000, 1000 + MAX_LITERALS))
    grammar = grammar_from("grammar", grounded_grammar(question))
    seconds = []
    for _ in range(5):
        started_s = time.perf_counter()
        LLMatcher(BYTES, grammar, log_level=0).compute_bitmask()
        seconds.append(time.perf_counter() - started_s)
    assert min(seconds) < COMPILE_LIMIT_S


def test_too_many_numbers_are_refused() -> None:
    question = " ".join(str(number) for number in range(1000, 1001 + MAX_LITERALS))
    with pytest.raises(ValueError, match=r"gives 257 numbers; a grounded grammar holds 256"):
        grounded_grammar(question)


@pytest.mark.parametrize(
    ("program", "uses"),
    [
        ("a = 34 * 2\nreturn a", True),
        ("a34 = 2 * 2\nreturn a34", False),
        ("return 340 - 134", False),
        ("return 3.4 + 0.34", False),
    ],
)
def test_a_program_without_a_number_of_its_question_is_known(program: str, uses: bool) -> None:
    assert uses_numbers_of("34 birds", program) is uses
    assert Fraction(34) not in CONSTANTS
