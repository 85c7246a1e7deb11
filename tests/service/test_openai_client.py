"""The `openai` package, as users have it, against a real socket."""

import asyncio
from collections.abc import AsyncIterator

import openai
import pytest

from service.engine.fake import FakeEngine
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, listening

KEYS = {"api_key": "inference-secret-1", "admin_key": "administrator-key"}
MESSAGES: list[openai.types.chat.ChatCompletionMessageParam] = [
    {"role": "user", "content": "Hello"}
]


@pytest.fixture
async def server(engine: FakeEngine, memory_store: MemoryStore) -> AsyncIterator[Running]:
    async with listening(engine, memory_store, KEYS) as app:
        yield app


@pytest.fixture
async def client(server: Running) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{server.client.base_url}/v1", api_key=KEYS["api_key"], max_retries=0
    ) as made:
        yield made


async def test_models_are_listed_and_retrieved(client: openai.AsyncOpenAI) -> None:
    ids = [model.id async for model in client.models.list()]
    assert ids == ["fake-base", "alpha", "alpha@1", "alpha@2", "alpha@3", "beta", "beta@1"]
    assert (await client.models.retrieve("alpha@2")).id == "alpha@2"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("nobody")


async def test_a_chat_names_the_version_that_answered(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="alpha", messages=MESSAGES)
    assert answer.model == "alpha@1"
    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 8


async def test_a_streamed_chat_gives_the_same_text(client: openai.AsyncOpenAI) -> None:
    whole = await client.chat.completions.create(model="alpha", messages=MESSAGES)
    stream = await client.chat.completions.create(
        model="alpha", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage


async def test_completions_and_their_stream(client: openai.AsyncOpenAI) -> None:
    whole = await client.completions.create(model="alpha@2", prompt="Hello")
    stream = await client.completions.create(model="alpha@2", prompt="Hello", stream=True)
    assert "".join([chunk.choices[0].text async for chunk in stream]) == whole.choices[0].text


async def test_errors_are_the_clients_own_kinds(
    client: openai.AsyncOpenAI, engine: FakeEngine
) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        await client.chat.completions.create(model="nobody", messages=MESSAGES)
    assert unknown.value.code == "model_not_found"
    assert unknown.value.request_id
    with pytest.raises(openai.BadRequestError, match="chat_template is refused"):
        await client.chat.completions.create(
            model="alpha", messages=MESSAGES, extra_body={"chat_template": "x"}
        )
    with pytest.raises(openai.AuthenticationError):
        await client.with_options(api_key="another").models.list()
    engine.faults.overloaded = True
    with pytest.raises(openai.InternalServerError) as overloaded:
        await client.chat.completions.create(model="alpha", messages=MESSAGES)
    assert overloaded.value.status_code == 503


async def test_a_cut_stream_raises_in_the_client(
    client: openai.AsyncOpenAI, engine: FakeEngine
) -> None:
    engine.faults.dies_after_tokens = 3
    stream = await client.completions.create(model="alpha", prompt="Hello", stream=True)
    with pytest.raises(openai.APIError, match="engine stopped"):
        async for _ in stream:
            pass


async def test_the_synchronous_client_works_and_retries_a_503(
    server: Running, engine: FakeEngine
) -> None:
    def ask() -> str:
        with openai.OpenAI(
            base_url=f"{server.client.base_url}/v1", api_key=KEYS["api_key"], max_retries=3
        ) as client:
            stream = client.chat.completions.create(model="alpha", messages=MESSAGES, stream=True)
            return "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    engine.faults.overloaded = True
    asking = asyncio.create_task(asyncio.to_thread(ask))
    await asyncio.sleep(0.2)
    engine.faults.overloaded = False
    assert len((await asking).split()) == 8
