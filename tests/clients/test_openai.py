"""The `openai` package against the whole service: its real engine, its store, its keys."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from tests.clients.conftest import ADMIN_KEY, API_KEY, WORDS
from tests.clients.parrots import BASE, parroted
from tests.clients.process import Server

pytestmark = pytest.mark.engine
MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": "How are you?"}]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"location": {"type": "string"}},
            "required": ["location"],
        },
    },
}


@pytest.fixture
async def client(real_server: Server) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{real_server.url}/v1", api_key=API_KEY, max_retries=0
    ) as made:
        yield made


def test_the_synchronous_client_gets_the_versions_own_words(real_server: Server) -> None:
    with openai.OpenAI(base_url=f"{real_server.url}/v1", api_key=API_KEY) as client:
        listed = {model.id for model in client.models.list()}
        assert {BASE, "alpha", "alpha@1", "alpha@3", "beta", "beta@2"} <= listed
        for number, word in enumerate(WORDS["alpha"], 1):
            answer = client.chat.completions.create(
                model=f"alpha@{number}", messages=MESSAGES, max_tokens=9
            )
            assert answer.model == f"alpha@{number}"
            assert answer.choices[0].message.content == 3 * word
        stream = client.completions.create(
            model="beta", prompt="Say:", max_tokens=12, temperature=0, stream=True
        )
        assert "".join(chunk.choices[0].text for chunk in stream) == 4 * WORDS["beta"][0]


async def test_many_asynchronous_requests_each_get_their_own_answer(
    client: openai.AsyncOpenAI,
) -> None:
    models = [f"{name}@{n}" for name, words in WORDS.items() for n in range(1, len(words) + 1)]

    async def ask(model: str) -> bool:
        stream = await client.chat.completions.create(
            model=model,
            messages=MESSAGES,
            max_tokens=30,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        name, _, number = model.partition("@")
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens == 30
        return {chunk.model for chunk in chunks} == {model} and parroted(
            WORDS[name][int(number) - 1], text
        )

    assert all(await asyncio.gather(*(ask(model) for model in 4 * models)))


async def test_a_required_tool_is_called_and_a_schema_obeyed(client: openai.AsyncOpenAI) -> None:
    called = await client.chat.completions.create(
        model="quote", messages=MESSAGES, tools=[WEATHER], tool_choice="required"
    )
    assert called.choices[0].finish_reason == "tool_calls"
    calls = called.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].type == "function"
    assert calls[0].function.name == "get_weather"
    assert json.loads(calls[0].function.arguments) == {"location": ""}
    free = await client.chat.completions.create(model="quote", messages=MESSAGES, tools=[WEATHER])
    assert free.choices[0].message.content == '"'
    shaped = await client.chat.completions.create(
        model="quote",
        messages=MESSAGES,
        response_format={
            "type": "json_schema",
            "json_schema": {
                "name": "city",
                "schema": {
                    "type": "object",
                    "properties": {"a": {"type": "string"}},
                    "required": ["a"],
                },
            },
        },
    )
    assert shaped.choices[0].message.content == '{"a":""}'


async def test_what_is_wrong_is_an_exception_of_the_clients_own(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        await client.chat.completions.create(model="nobody", messages=MESSAGES)
    with pytest.raises(openai.AuthenticationError):
        await client.with_options(api_key="another").models.list()
    with pytest.raises(openai.BadRequestError, match="max_tokens"):
        await client.completions.create(model="alpha", prompt="Say:", max_tokens=10**9)


async def test_a_retry_outlasts_a_server_that_is_away(real_server: Server) -> None:
    """The first attempt finds nobody there, the second the service."""
    tried = []

    async def away_at_first(request: httpx2.Request) -> None:
        tried.append(request.url.path)
        if len(tried) == 1:
            raise httpx2.ConnectError("not yet", request=request)

    async with (
        httpx2.AsyncClient(event_hooks={"request": [away_at_first]}) as http,
        openai.AsyncOpenAI(
            base_url=f"{real_server.url}/v1", api_key=API_KEY, max_retries=2, http_client=http
        ) as client,
    ):
        answer = await client.chat.completions.create(
            model="alpha", messages=MESSAGES, max_tokens=3
        )
    assert answer.choices[0].message.content == WORDS["alpha"][0]
    assert len(tried) == 2


async def test_a_promote_reaches_the_next_request(
    real_server: Server, client: openai.AsyncOpenAI
) -> None:
    admin = httpx.AsyncClient(
        base_url=real_server.url, headers={"Authorization": f"Bearer {ADMIN_KEY}"}, timeout=30
    )
    async with admin:
        for number in (2, 1):
            moved = await admin.post("/admin/adapters/beta/promote", json={"version": number})
            assert moved.status_code == 200, moved.text
            answer = await client.chat.completions.create(
                model="beta", messages=MESSAGES, max_tokens=6
            )
            assert answer.model == f"beta@{number}"
            assert answer.choices[0].message.content == 2 * WORDS["beta"][number - 1]
