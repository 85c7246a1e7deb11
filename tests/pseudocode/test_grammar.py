"""The same grammar text parses with lark and constrains decoding with llguidance."""

import pytest
from llguidance import LLMatcher, LLTokenizer

from pseudocode import grammar_text, run

PROGRAMS = [
    "total = 5 + 7\nreturn total",
    "总数 = 5 * (3 - 1) ** 2\n剩下 = 总数 - 1\nreturn 剩下",
    "return min(3, 4) + max(1, 2, 3)",
    "a1 = -3.5 // 2 % 7\nb_ = round(a1) + floor(a1) + ceil(a1) + abs(a1)\nreturn b_ / 1",
    "return returned",
]
REFUSED = [
    "a = 5 return a",
    "a = 5\nb = 6",
    "a == 5\nreturn a",
    "return 5\nreturn 6",
    "print(5)",
    "return (5",
    "return 5 +",
    "return sum(1)",
    "return 5.",
    "import os",
    "",
]


@pytest.fixture(scope="module")
def byte_tokenizer() -> LLTokenizer:
    return LLTokenizer("byte")


def accepts(tokenizer: LLTokenizer, text: str) -> bool:
    """Whether the whole text can be decoded under the grammar and may end there."""
    matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_lark(grammar_text()))
    assert not matcher.get_error()
    tokens = tokenizer.tokenize_str(text)
    taken = matcher.validate_tokens(tokens)
    matcher.consume_tokens(tokens[:taken])
    return bool(taken == len(tokens) and matcher.is_accepting())


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_decoding_may_write_the_parser_reads(
    byte_tokenizer: LLTokenizer, program: str
) -> None:
    assert accepts(byte_tokenizer, program)
    error = run(program).error
    assert error is None or error.code in {"unknown_name"}


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_parser_refuses_cannot_be_decoded(byte_tokenizer: LLTokenizer, text: str) -> None:
    assert not accepts(byte_tokenizer, text)
    assert run(text).error is not None


def test_the_grammar_is_the_one_vllm_is_given(byte_tokenizer: LLTokenizer) -> None:
    grammar = LLMatcher.grammar_from_lark(grammar_text())
    assert LLMatcher.validate_grammar(grammar, byte_tokenizer) == ""
