"""The one grammar: what constrained decoding can write is what the parser reads, and no more.

llguidance is called as vLLM's `guidance` backend calls it.
"""

import re
from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from llguidance import LLMatcher, LLTokenizer, grammar_from
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from pseudocode import ParseError, grammar_text, parse
from pseudocode.formatter import format_program
from pseudocode.grammar import LEVELS, Level
from pseudocode.words import spaced
from tests.pseudocode.programs import WORDS, RandomProgram, damaged_programs, programs
from tests.pseudocode.random_programs import damaged, random_program

GRAMMARS = {level: grammar_from("grammar", grammar_text(level)) for level in LEVELS}
GRAMMAR = GRAMMARS["straight"]
BYTES = LLTokenizer("byte")

ACCEPTED = [
    "total = 5 + 7\nreturn total",
    "总数 = 5 * (3 - 1) ** 2\n剩下 = 总数 - 1\nreturn 剩下",
    "return min(3, 4) + max(1, 2, 3)",
    "a1 = -3.5 // 2 % 7\nb_ = round(a1) + floor(a1) + ceil(a1) + abs(a1)\nreturn b_ / 1",
    "return returned",
    "a=1\nreturn a-1",
    "return (5)",
    "min = 3\nreturn min + min(min, 2)",
    "end = 20% * sum(1, 2)\nreturn end >= 0.5 # km/h",
    "返回 5",
    "return 2 - -3",
    "return 2 ** -3",
    "㐀 = 1\nreturn 㐀",
]
REFUSED = [
    "",
    "a = 5",
    "a = 5 return a",
    "a = 5\nb = 6",
    "a == 5\nreturn a",
    "return 5\nreturn 6",
    "return 5\n\n",
    "print(5)",
    "return (5",
    "return 5)",
    "return 5 +",
    "return + 5",
    "return(5)",
    "return sum(1)",
    "return min(1)",
    "return 1 < 2 < 3",
    "return 20%3",
    "返回5",
    "if 1 then\na = 2\nend\nreturn a",
    "return [1]",
    'return "a"',
    "return abs(1, 2)",
    "return min (1, 2)",
    "return max(1,000)",
    "return 007",
    "return 5.",
    "return .5",
    "return 1e5",
    "return 2 * * 3",
    "return 2 / / 3",
    "return5",
    "import os",
    "5 = a\nreturn a",
    "a = 5\nreturn a #",
    "return = 5",
    "return a # a # b",
    "é = 1\nreturn é",
    "return （5）",
]


@cache
def matcher_of(tokenizer: LLTokenizer, level: Level) -> LLMatcher:
    return LLMatcher(tokenizer, GRAMMARS[level], log_level=0)


def decodes(text: str, tokenizer: LLTokenizer = BYTES, level: Level = "straight") -> bool:
    """Whether a model under the grammar can write the whole text and may end there."""
    matcher = matcher_of(tokenizer, level)
    assert matcher.reset()
    assert not matcher.get_error()
    tokens = tokenizer.tokenize_str(text)
    taken = matcher.validate_tokens(tokens)
    matcher.consume_tokens(tokens[:taken])
    return bool(taken == len(tokens) and matcher.is_accepting())


def parses(text: str, level: Level = "straight") -> bool:
    try:
        parse(text, level=level)
    except ParseError:
        return False
    return True


@pytest.fixture(scope="module")
def merging_tokenizer() -> LLTokenizer:
    """A small tokenizer with tokens across words, blanks, operators and line ends."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<eos>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*ACCEPTED, *CONTROL, *TASK] * 3, trainer)
    return LLTokenizer(tokenizer.to_str())


def test_vllm_takes_the_grammar_without_a_complaint() -> None:
    for grammar in GRAMMARS.values():
        assert LLMatcher.validate_grammar(grammar, BYTES) == ""
        error, warnings = LLMatcher.validate_grammar_with_warnings(grammar, BYTES)
        assert (error, warnings) == (False, [])


@pytest.mark.parametrize("text", ACCEPTED)
def test_programs_can_be_decoded_and_parsed(text: str, merging_tokenizer: LLTokenizer) -> None:
    assert parses(text)
    assert decodes(text)
    assert len(merging_tokenizer.tokenize_str(text)) < len(text.encode())
    assert decodes(text, merging_tokenizer)


@pytest.mark.parametrize("text", REFUSED)
def test_other_texts_can_be_neither(text: str, merging_tokenizer: LLTokenizer) -> None:
    assert not decodes(text)
    assert not decodes(text, merging_tokenizer)
    # Blank lines at the end and parentheses right after a word are what the parser is patient with.
    assert parses(text) == (text in ("return 5\n\n", "return(5)"))


@pytest.mark.parametrize("tail", [" ", "\n", "\t", " 5", "\nreturn 5"])
def test_a_finished_program_can_only_end(tail: str) -> None:
    assert decodes("return 5")
    assert not decodes(f"return 5{tail}")


@pytest.mark.parametrize("blanks", ["  ", "\t", "\n"])
def test_decoding_cannot_lose_itself_in_white_space(blanks: str) -> None:
    for text in ("a =#5\nreturn a", "a = (#5)\nreturn a", "a = 5 +#5\nreturn a", "#return 5"):
        assert not decodes(text.replace("#", blanks))


CONTROL = [
    "xs = []\nrepeat 3 times\n  append 2 to xs\nend\nreturn sum(xs)",
    "如果 1 < 2 那么\n返回 3\n否则如果 a 那么\nb = 1\n否则\nb = 2\n结束\n返回 b",
    "for each x in [1, 2]\nwhile x > 0 do\nx = x - 1\nend\nend\n返回 x # km",
    "当 min < 3 时\nmin = 3\n结束\nreturn [1][0]",
    "if = 3\nif if > 2 then\nelse = 2\nend\nend = if\nreturn end",
]
TASK = [
    'colour = ask "What is the colour of a 苹果?" + "!" # colour\nreturn colour == "red"',
    't = {"a": 3, 2: "b"}\nreturn t["a"] + length("abc")',
    'x = 询问 "a"\nif x == "b" then\n  x = {}\nend\nreturn x',
]


@pytest.mark.parametrize("text", CONTROL)
def test_blocks_and_lists_are_of_the_level_control(text: str) -> None:
    for level in LEVELS:
        expected = level != "straight" and "[1][0]" not in text
        assert (decodes(text, level=level), parses(text, level)) == (expected, expected)


@pytest.mark.parametrize("text", TASK)
def test_texts_tables_and_leaf_steps_are_of_the_level_task(text: str) -> None:
    for level in LEVELS:
        assert decodes(text, level=level) == parses(text, level) == (level == "task")


@pytest.mark.parametrize("text", [*CONTROL, *TASK])
def test_blocks_can_be_decoded_with_tokens_across_words(
    text: str, merging_tokenizer: LLTokenizer
) -> None:
    assert len(merging_tokenizer.tokenize_str(text)) < len(text.encode())
    assert decodes(text, merging_tokenizer, "task") == parses(text, "task")


@pytest.mark.parametrize("level", LEVELS)
def test_decoding_and_parser_take_the_same_programs_of_every_level(level: Level) -> None:
    for seed in range(250):
        text = random_program(seed, level)
        assert parses(text, level)
        assert decodes(text, level=level)
        canonical = format_program(parse(text)).rstrip("\n")
        assert decodes(canonical, level=level)
        for above in LEVELS[LEVELS.index(level) :]:
            assert decodes(text, level=above)


@pytest.mark.parametrize("level", LEVELS)
def test_decoding_and_parser_refuse_the_same_damaged_programs_of_every_level(level: Level) -> None:
    taken = 0
    for seed in range(800):
        text = without_spare_blanks(damaged(random_program(seed, level), seed))
        assert decodes(text, level=level) == parses(text, level), text
        taken += decodes(text, level=level)
    assert 50 < taken < 600


def without_spare_blanks(text: str) -> str:
    """A text as the parser, which passes over white space and lines of comment, makes it."""
    rows = [row for row in map(str.strip, text.split("\n")) if row and row[0] != "#"]
    return spaced(re.sub(r"[ \t]+", " ", "\n".join(rows)))


def lookalikes() -> list[str]:
    """Every beginning of every word of the dialect, and the same with another character."""
    beginnings = {word[:length] for word in WORDS for length in range(1, len(word) + 1)}
    return sorted(
        {f"{beginning}{more}" for beginning in beginnings for more in ["", *"abdeilnortuxsz_7总"]}
    )


def test_only_the_words_themselves_cannot_be_names() -> None:
    refused = {name for name in lookalikes() if not decodes(f"{name} = 1\nreturn {name}")}
    assert refused == set(WORDS)
    assert {name for name in lookalikes() if not parses(f"{name} = 1\nreturn {name}")} == refused


@settings(deadline=None)
@given(programs())
def test_every_program_in_canonical_layout_can_be_decoded(program: RandomProgram) -> None:
    assert parses(program.text)
    assert decodes(program.text)


@settings(deadline=None, max_examples=300)
@given(damaged_programs())
def test_decoding_and_parser_agree_on_damaged_programs(text: str) -> None:
    # The parser is more patient with white space alone.
    assume(text == without_spare_blanks(text))
    assert decodes(text) == parses(text)


# Each ends something that is open; the first that the grammar allows is taken.
ENDINGS = [
    b"end\n",
    b"return 1",
    b"\n",
    b" then\n",
    b" times\n",
    *(b"%c" % byte for byte in b')]}":'),
    b" to a",
    b" in a",
    b" = 1",
    b"= 1",
    b", 1",
    b"1",
]


def finish(matcher: LLMatcher, text: bytes) -> bytes:
    """Bring a text to an end within the grammar, by the shortest way that is allowed."""
    for _ in range(500):
        if matcher.is_accepting():
            return text
        allowed = [token for token, bias in enumerate(matcher.compute_logit_bias()) if bias]
        ending = next(
            (part for part in ENDINGS if matcher.validate_tokens(list(part)) == len(part)),
            bytes([allowed[0]]),
        )
        assert matcher.consume_tokens(list(ending))
        text += ending
    raise AssertionError(f"no end in sight of {text!r}")


@pytest.mark.parametrize("level", LEVELS)
@settings(deadline=None, max_examples=80)
@given(beginning=st.integers(0, 10**9), choices=st.lists(st.integers(0, 10_000), max_size=40))
def test_whatever_is_decoded_is_a_program_in_canonical_layout(
    level: Level, beginning: int, choices: list[int]
) -> None:
    matcher = LLMatcher(BYTES, GRAMMARS[level], log_level=0)
    # Random bytes alone hardly ever write a word, so they go on from a piece of a program.
    program = random_program(beginning, level)
    text = program[: beginning % (len(program) + 1)].encode()
    assert matcher.consume_tokens(list(text))
    for choice in choices:
        allowed = [token for token, bias in enumerate(matcher.compute_logit_bias()) if bias]
        token = allowed[choice % len(allowed)]
        if token == BYTES.eos_token:
            break
        assert matcher.consume_token(token)
        text += bytes([token])
    decoded = finish(matcher, text).decode()
    rows = decoded.split("\n")
    assert [line.number for line in parse(decoded, level=level).lines] == [
        number for number, _ in enumerate(rows, start=1)
    ]
    assert all(row == row.rstrip() for row in rows)
    if level != "task":
        assert not any("  " in row.lstrip() for row in rows)


@pytest.mark.parametrize("level", LEVELS)
def test_the_grammar_to_decode_under_is_the_same_but_for_comments(level: Level) -> None:
    text = grammar_text(level, comments=False)
    assert "UNIT" not in text
    grammar = grammar_from("grammar", text)
    assert LLMatcher.validate_grammar_with_warnings(grammar, BYTES) == (False, [])
    for source in ACCEPTED:
        matcher = LLMatcher(BYTES, grammar, log_level=0)
        tokens = BYTES.tokenize_str(source)
        whole = matcher.validate_tokens(tokens) == len(tokens)
        assert whole == ("#" not in source), source
