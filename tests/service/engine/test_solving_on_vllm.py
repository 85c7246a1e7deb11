"""What solving relies on, on the real engine: grammars hold, and a verifier's scores can be read."""

import re
from typing import TYPE_CHECKING, cast

import pytest
from llguidance import LLMatcher, LLTokenizer, grammar_from

import pseudocode
from adapters.manifest import PromptForm
from pseudocode.grounding import grounded_grammar
from pseudocode.question_numbers import grounded_literals
from service.engine.protocol import JSON
from service.solving.options import SolveOptions
from service.solving.questions import Question
from service.solving.verifier import scores_of
from tests.service.engine.conftest import Version

if TYPE_CHECKING:
    from service.engine.vllm_engine import VllmEngine

pytestmark = pytest.mark.engine

TEXT = "Ann has 17 pens and buys half as many. 二十三支笔,又买三支。"
LITERAL = re.compile(r"(?<![\w.\ufffd])\d+(?:\.\d+)?")


@pytest.fixture
def kind() -> str:
    return "vllm"


# A byte's token comes after those of the two special ones. Left to chance, names would never end.
LIKED = {
    byte - ord("!") + 2: bias
    for text, bias in (("0123456789", 6), ("x=+*", 7))
    for byte in text.encode()
}


async def drawn(engine: "VllmEngine", options: SolveOptions) -> list[str]:
    """Texts of a model that knows nothing, so that the grammar alone makes programs of them."""
    body: JSON = {"prompt": TEXT, "temperature": 1.5, "n": 24, "max_tokens": 60, "seed": 5}
    body["logit_bias"] = {str(token): bias for token, bias in LIKED.items()}
    asked = Question(TEXT, options, body).constrained()
    answer = await engine.complete(asked, None, f"drawn-{options.grammar}")
    assert isinstance(answer, dict)
    return [choice["text"] for choice in cast(list[dict[str, str]], answer["choices"])]


def begins_a_program(text: str, grammar: str) -> bool:
    """Whether a text can be gone on with to a program of the grammar."""
    tokenizer = LLTokenizer("byte")
    matcher = LLMatcher(tokenizer, grammar_from("grammar", grammar))
    # A character may have been cut at the end.
    tokens = tokenizer.tokenize_str(text.rstrip("\ufffd"))
    return bool(matcher.validate_tokens(tokens) == len(tokens))


async def test_a_grounded_grammar_admits_no_number_but_the_question_s(
    vllm_engine: "VllmEngine",
) -> None:
    allowed = grounded_literals(TEXT)
    texts = await drawn(vllm_engine, SolveOptions(grammar="grounded"))
    # The last literal of a text may have been cut.
    written = [literal for text in texts for literal in LITERAL.findall(text[:-8])]
    assert len(written) > 24
    assert set(written) <= allowed
    assert all(begins_a_program(text, grounded_grammar(TEXT)) for text in texts)
    assert not any("#" in text for text in texts)


async def test_a_grammar_of_the_dialect_admits_programs_alone(vllm_engine: "VllmEngine") -> None:
    texts = await drawn(vllm_engine, SolveOptions(grammar="dialect"))
    assert all(begins_a_program(text, pseudocode.grammar_text(comments=False)) for text in texts)
    assert not all(begins_a_program(text, grounded_grammar(TEXT)) for text in texts)


async def test_scores_come_from_the_log_probabilities(
    vllm_engine: "VllmEngine", version: Version
) -> None:
    verifier = version("alpha", PromptForm(template="{{ messages[-1]['content'] }}"))
    await vllm_engine.dock(verifier)
    try:
        programs = ["return 17 + 3", "return 17 / 2"]
        scores, count = await scores_of(vllm_engine, verifier, TEXT, programs, "scored")
    finally:
        await vllm_engine.undock(verifier)
    assert scores.keys() == set(programs)
    assert all(0 <= score <= 1 for score in scores.values())
    assert count.completion == 2
