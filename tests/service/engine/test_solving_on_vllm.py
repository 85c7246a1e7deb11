"""What solving relies on, on the real engine: grammars hold, and a verifier's scores can be read."""

import re
from typing import TYPE_CHECKING, cast

import pytest

import pseudocode
from adapters.manifest import PromptForm
from pseudocode.findings import CONSTANTS
from pseudocode.question_numbers import literals_in
from service.engine.protocol import JSON
from service.solving.options import SolveOptions
from service.solving.questions import Question
from service.solving.verifier import scores_of
from tests.service.engine.conftest import Version

if TYPE_CHECKING:
    from service.engine.vllm_engine import VllmEngine

pytestmark = pytest.mark.engine

TEXT = "Ann has 17 pens and buys half as many. 二十三支笔,又买三支。"
LITERAL = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")


@pytest.fixture
def kind() -> str:
    return "vllm"


async def drawn(engine: "VllmEngine", options: SolveOptions) -> list[tuple[str, str]]:
    """Texts of a model that knows nothing, so that the grammar alone makes programs of them."""
    body: JSON = {"prompt": TEXT, "temperature": 1.5, "n": 24, "max_tokens": 60, "seed": 5}
    asked = Question(TEXT, options, body).constrained()
    answer = await engine.complete(asked, None, f"drawn-{options.grammar}")
    assert isinstance(answer, dict)
    choices = cast(list[dict[str, str]], answer["choices"])
    return [(choice["text"], choice["finish_reason"]) for choice in choices]


async def test_a_grounded_grammar_admits_no_number_but_the_question_s(
    vllm_engine: "VllmEngine",
) -> None:
    allowed = literals_in(TEXT) | {pseudocode.format_number(value) for value in CONSTANTS}
    texts = await drawn(vllm_engine, SolveOptions(grammar="grounded"))
    # The last literal of a text that was cut may have been cut too.
    written = [LITERAL.findall(text if end == "stop" else text[:-8]) for text, end in texts]
    assert sum(map(len, written)) > 24
    assert {literal for literals in written for literal in literals} <= allowed
    for text, end in texts:
        assert end == "length" or pseudocode.parse(text).lines


async def test_a_grammar_of_the_dialect_admits_programs_alone(vllm_engine: "VllmEngine") -> None:
    texts = await drawn(vllm_engine, SolveOptions(grammar="dialect"))
    ended = [text for text, end in texts if end == "stop"]
    assert ended
    for text in ended:
        assert pseudocode.parse(text).lines


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
