"""A chain of thought comes back with its verdict beside it, whole and streamed, by any client."""

from collections.abc import AsyncIterator
from pathlib import Path

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from service import chains
from service.engine.protocol import JSON
from tests.service.memory_store import MemoryStore
from tests.service.running import listening
from tests.service.solving.scripted import ScriptedEngine

MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": "How many apples?"}]
RIGHT = "3 bags of 4: 3 × 4 = 12.\nShe eats two: 12 - 2 = 10.\nAnswer: 10"
WRONG = "首先：3 × 4 = 13。\n答案：13"


@pytest.fixture
def scripted() -> ScriptedEngine:
    return ScriptedEngine(RIGHT)


@pytest.fixture
async def client(scripted: ScriptedEngine, tmp_path: Path) -> AsyncIterator[openai.AsyncOpenAI]:
    store = MemoryStore(tmp_path)
    store.add("cot", 1, task="cot")
    store.add("novel", 1, task="continuation")
    for name in ("cot", "novel"):
        store.set_alias(name, "stable", 1, expected=None, who="test", why="start")
    async with (
        listening(scripted, store) as app,
        openai.AsyncOpenAI(
            base_url=f"{app.client.base_url}/v1", api_key="none", max_retries=0
        ) as made,
    ):
        yield made


async def ask(client: openai.AsyncOpenAI, model: str = "cot", **extra: object) -> JSON:
    reply = await client.chat.completions.create(
        model=model, messages=MESSAGES, max_tokens=200, extra_body=extra
    )
    return {"text": reply.choices[0].message.content, **(reply.model_extra or {})}


async def test_steps_answer_and_verdict_are_beside_the_text(client: openai.AsyncOpenAI) -> None:
    reply = await ask(client)
    assert reply["text"] == RIGHT
    assert reply["chain"] == {
        "steps": [
            {"text": "3 bags of 4: 3 × 4 = 12.", "stated": "12", "recomputed": "12", "ok": True},
            {"text": "She eats two: 12 - 2 = 10.", "stated": "10", "recomputed": "10", "ok": True},
        ],
        "answer": "10",
        "consistent": True,
    }


async def test_a_stream_ends_with_the_verdict_on_all_of_it(
    client: openai.AsyncOpenAI, scripted: ScriptedEngine
) -> None:
    scripted.greedy = WRONG
    stream = await client.chat.completions.create(
        model="cot", messages=MESSAGES, max_tokens=200, stream=True
    )
    chunks = [chunk async for chunk in stream]
    pieces = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(pieces) == WRONG
    assert len([piece for piece in pieces if piece]) > 1
    told = [chunk for chunk in chunks if "chain" in (chunk.model_extra or {})]
    assert [chunk.choices[0].finish_reason for chunk in told] == ["stop"]
    chain = (told[0].model_extra or {})["chain"]
    assert (chain["answer"], chain["consistent"]) == ("13", False)
    assert [(step["stated"], step["recomputed"]) for step in chain["steps"]] == [("13", "12")]


@pytest.mark.parametrize(
    ("model", "extra"), [("novel", {}), ("cot", {"solve": False}), ("cot", {"n": 2})]
)
async def test_other_answers_have_none(
    client: openai.AsyncOpenAI, model: str, extra: dict[str, object]
) -> None:
    assert "chain" not in await ask(client, model, **extra)


async def test_a_text_without_steps_is_told_so(
    client: openai.AsyncOpenAI, scripted: ScriptedEngine
) -> None:
    scripted.greedy = "I do not know"
    chain = (await ask(client))["chain"]
    assert isinstance(chain, dict)
    assert (chain["answer"], chain["consistent"]) == (None, False)


async def test_a_text_beyond_what_is_checked_has_no_verdict(
    client: openai.AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chains, "MAX_TEXT_CHARACTERS", len(RIGHT) - 1)
    assert (await ask(client))["chain"] is None
