"""Solving through plain chat: program and answer as the text, the rest beside it, bare text on request."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

import pseudocode
from adapters.manifest import PromptForm
from service.engine.protocol import JSON
from tests.service.memory_store import make_version
from tests.service.running import Running, listening, running
from tests.service.solving.scripted import (
    OTHER,
    QUESTION,
    RIGHT,
    TEMPLATE,
    ScriptedEngine,
    store_with_solver,
)

MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": QUESTION}]
SOLVED = f"{RIGHT}\n# answer: 10"


@pytest.fixture
def scripted() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
async def server(scripted: ScriptedEngine, tmp_path: Path) -> AsyncIterator[Running]:
    async with listening(scripted, store_with_solver(tmp_path, verifier=True)) as app:
        yield app


@pytest.fixture
async def client(server: Running) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{server.client.base_url}/v1", api_key="none", max_retries=0
    ) as made:
        yield made


async def ask(client: openai.AsyncOpenAI, **extra: object) -> tuple[str | None, JSON | None]:
    reply = await client.chat.completions.create(
        model="pseudocode", messages=MESSAGES, extra_body=extra
    )
    return reply.choices[0].message.content, (reply.model_extra or {}).get("solution")


async def test_the_text_is_the_program_and_the_answer(client: openai.AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model="pseudocode", messages=MESSAGES)
    text = reply.choices[0].message.content or ""
    assert text == SOLVED
    assert pseudocode.run(text).answer == "10"
    assert (reply.model, reply.choices[0].finish_reason) == ("pseudocode@1", "stop")
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 12
    solution = cast(JSON, (reply.model_extra or {})["solution"])
    assert (solution["answer"], solution["abstained"]) == ("10", None)
    assert len(cast(list[JSON], solution["trace"])) == 3


@pytest.mark.parametrize("model", ["pseudocode@2", "pseudocode@stable", "pseudocode@1"])
async def test_versions_and_aliases_solve_too(client: openai.AsyncOpenAI, model: str) -> None:
    reply = await client.chat.completions.create(model=model, messages=MESSAGES)
    assert reply.choices[0].message.content == SOLVED
    assert reply.model == model.replace("stable", "1")


async def test_a_stream_gives_the_same(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="pseudocode",
        messages=MESSAGES,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == SOLVED
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["stop"]
    (solution,) = [
        chunk.model_extra["solution"]
        for chunk in chunks
        if chunk.model_extra and "solution" in chunk.model_extra
    ]
    assert solution == (await ask(client))[1]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 12
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


async def test_options_are_those_of_the_solve_route(
    client: openai.AsyncOpenAI, scripted: ScriptedEngine
) -> None:
    scripted.greedy, scripted.drawn = OTHER, [RIGHT]
    text, solution = await ask(client, solve={"samples": 3, "grammar": "none"})
    assert text == SOLVED
    assert solution is not None
    assert solution["alternatives"] == [{"answer": "20", "count": 1, "doubt": None}]
    assert all("structured_outputs" not in body for body in scripted.bodies)


async def test_a_vote_streams_what_won(
    client: openai.AsyncOpenAI, scripted: ScriptedEngine
) -> None:
    scripted.greedy, scripted.drawn = OTHER, [RIGHT]
    stream = await client.chat.completions.create(
        model="pseudocode", messages=MESSAGES, stream=True, extra_body={"solve": {"samples": 3}}
    )
    pieces = [choice.delta.content or "" async for chunk in stream for choice in chunk.choices]
    assert "".join(pieces) == SOLVED


@pytest.mark.parametrize(
    ("written", "question", "text"),
    [
        ("I think ten.", QUESTION, "I think ten.\n# no answer: no_program"),
        (RIGHT, "Hello there!", "# no answer: no_numbers"),
        (RIGHT, "你好", "# 没有答案: no_numbers"),
        (RIGHT, "小明有12支笔,丢了5支,又买3支。", f"{RIGHT}\n# 答案: 10"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_without_an_answer_the_text_says_why(
    server: Running, scripted: ScriptedEngine, written: str, question: str, text: str, stream: bool
) -> None:
    scripted.greedy = written
    async with openai.AsyncOpenAI(
        base_url=f"{server.client.base_url}/v1", api_key="none"
    ) as client:
        messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": question}]
        if not stream:
            reply = await client.chat.completions.create(model="pseudocode", messages=messages)
            assert reply.choices[0].message.content == text
            return
        chunks = await client.chat.completions.create(
            model="pseudocode", messages=messages, stream=True
        )
        pieces = [one.delta.content or "" async for chunk in chunks for one in chunk.choices]
        assert "".join(pieces) == text


@pytest.mark.parametrize(
    "fields",
    [
        {"solve": False},
        {"logprobs": True},
        {"structured_outputs": {"grammar": pseudocode.grammar_text()}},
        {"response_format": {"type": "text"}},
        {"n": 1},
    ],
)
async def test_the_bare_text_can_be_had(
    client: openai.AsyncOpenAI, scripted: ScriptedEngine, fields: JSON
) -> None:
    assert await ask(client, **fields) == (RIGHT, None)
    assert "solve" not in scripted.bodies[-1]


async def test_completions_are_always_bare(client: openai.AsyncOpenAI) -> None:
    completion = await client.completions.create(model="pseudocode", prompt="Question: 5 and 7?")
    assert completion.choices[0].text == RIGHT


async def test_other_adapters_and_the_base_answer_as_ever(client: openai.AsyncOpenAI) -> None:
    for model in ("novel", "fake-base"):
        reply = await client.chat.completions.create(model=model, messages=MESSAGES)
        assert reply.choices[0].message.content == RIGHT
        assert "solution" not in (reply.model_extra or {})


@pytest.mark.parametrize(
    ("model", "fields", "param"),
    [
        ("novel", {"solve": True}, "model"),
        ("fake-base", {"solve": {"samples": 2}}, "model"),
        ("pseudocode", {"solve": True, "n": 2}, "n"),
        ("pseudocode", {"solve": {"samples": 10**6}}, "solve"),
        ("pseudocode", {"solve": {"sample": 2}}, "solve"),
    ],
)
async def test_solving_where_it_cannot_be_is_refused(
    client: openai.AsyncOpenAI, model: str, fields: JSON, param: str
) -> None:
    with pytest.raises((openai.BadRequestError, openai.NotFoundError)) as caught:
        await client.chat.completions.create(model=model, messages=MESSAGES, extra_body=fields)
    assert caught.value.param == param


async def test_a_very_long_message_is_refused_unless_it_is_to_be_left_alone(
    server: Running,
) -> None:
    text = "12 " * 3000
    assert (await server.chat("pseudocode", text)).status_code == 400
    assert (await server.chat("pseudocode", text, solve=False)).status_code == 200


async def test_the_client_s_temperature_counts_for_the_first_program(
    client: openai.AsyncOpenAI, scripted: ScriptedEngine
) -> None:
    await client.chat.completions.create(model="pseudocode", messages=MESSAGES, temperature=0.4)
    await client.chat.completions.create(model="pseudocode", messages=MESSAGES)
    assert [body["temperature"] for body in scripted.bodies] == [0.4, 0.0]


async def test_what_ended_for_its_length_says_so(server: Running) -> None:
    for stream in (False, True):
        reply = await server.chat("pseudocode", QUESTION, max_tokens=3, stream=stream)
        assert "# no answer: length" in reply.text
        assert '"finish_reason":"length"' in reply.text


@pytest.mark.parametrize(
    ("training", "template", "solves"),
    [
        ({"task": "pseudocode"}, None, True),
        ({"task": "instruct"}, TEMPLATE, False),
        ({}, TEMPLATE, True),
        ({}, "### Instruction: {{ messages[-1]['content'] }}", False),
        ({}, None, False),
    ],
)
async def test_the_training_tells_what_an_adapter_is_for_or_else_its_prompt(
    tmp_path: Path, training: JSON, template: str | None, solves: bool
) -> None:
    from service.solving.solver import is_solver

    version = make_version("any", 1, tmp_path, prompt=PromptForm(template=template))
    manifest = version.manifest.model_copy(update={"training": training})
    assert is_solver(manifest) is solves


async def test_streams_at_once_stay_apart(tmp_path: Path) -> None:
    async with running(ScriptedEngine(), store_with_solver(tmp_path)) as app:
        replies = await asyncio.gather(
            *(app.chat("pseudocode", QUESTION, stream=bool(place % 2)) for place in range(16))
        )
    assert all("# answer: 10" in reply.text for reply in replies)
