"""Texts go on beyond the context window: piece after piece, one version, one bill, to the end."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import openai
import pytest

from service.engine.fake import FakeEngine
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, listening, until

OPENING = "Ann lived by the sea."


class Story:
    """Writes numbered sentences, six a piece, and says from which text it went on."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self.silent_after = 1000

    def tell(self, _name: str, prompt: str) -> str:
        self.prompts.append(prompt)
        number = len(self.prompts)
        if number > self.silent_after:
            return ""
        return " ".join(f"Piece {number} has line {line}." for line in range(6))


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def engine(story: Story) -> FakeEngine:
    return FakeEngine(answer=story.tell)


@pytest.fixture
async def app(engine: FakeEngine, story: Story, tmp_path: Path) -> AsyncIterator[Running]:
    store = MemoryStore(tmp_path)
    for number in (1, 2):
        store.add("novel", number, task="continuation")
    store.set_alias("novel", "stable", 1, expected=None, who="test", why="start")
    async with listening(engine, store) as running:
        # Those of the probes.
        story.prompts.clear()
        engine.requests.clear()
        yield running


@pytest.fixture
async def client(app: Running) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{app.client.base_url}/v1", api_key="none", max_retries=0
    ) as made:
        yield made


async def go_on(
    client: openai.AsyncOpenAI, prompt: str = OPENING, max_tokens: int = 2000, **options: object
) -> openai.types.Completion:
    return await client.completions.create(
        model="novel",
        prompt=prompt,
        max_tokens=max_tokens,
        extra_body={"continuation": options or True},
    )


async def test_a_text_goes_on_until_its_tokens_are_used(
    client: openai.AsyncOpenAI, story: Story
) -> None:
    reply = await go_on(client, max_tokens=100)
    (choice,) = reply.choices
    assert choice.text.startswith("\nPiece 1 has line 0.")
    assert choice.text.split("\n")[2].startswith("Piece 2 has line 0.")
    assert choice.finish_reason == "length"
    assert len(choice.text.split()) == 100
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 100
    assert reply.usage.prompt_tokens == sum(len(prompt.split()) + 1 for prompt in story.prompts)
    assert reply.model == "novel@1"
    assert story.prompts[0] == f"{OPENING}\n"


async def test_what_is_read_again_is_the_beginning_and_the_last_part(
    client: openai.AsyncOpenAI, story: Story
) -> None:
    reply = await go_on(client, window_characters=800, head_characters=40)
    assert len(reply.choices[0].text) > 8000
    assert max(map(len, story.prompts)) <= 800
    for prompt in story.prompts[10:]:
        head, _, tail = prompt.partition("\n")
        assert head == OPENING
        assert tail.startswith("Piece ")
        assert tail in f"{OPENING}{reply.choices[0].text}\n"


async def test_a_stream_is_the_same_text_and_ends_with_the_bill(
    client: openai.AsyncOpenAI, story: Story
) -> None:
    whole = await go_on(client, max_tokens=150)
    story.prompts.clear()
    stream = await client.completions.create(
        model="novel",
        prompt=OPENING,
        max_tokens=150,
        stream=True,
        stream_options={"include_usage": True},
        extra_body={"continuation": True},
    )
    chunks = [chunk async for chunk in stream]
    pieces = [choice.text for chunk in chunks for choice in chunk.choices]
    assert "".join(pieces) == whole.choices[0].text
    assert len(pieces) > 100
    assert chunks[-1].usage == whole.usage
    # The client's types say that there always is one; while it streams there is none.
    reasons: list[str | None] = [one.finish_reason for chunk in chunks for one in chunk.choices]
    assert [reason for reason in reasons if reason] == ["length"]
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


async def test_a_window_that_the_engine_finds_too_long_is_narrowed(
    client: openai.AsyncOpenAI, story: Story
) -> None:
    long = "a b c d. " * 2000
    reply = await go_on(client, prompt=long, max_tokens=60, window_characters=20_000)
    assert len(story.prompts[0].split()) <= 4096
    assert reply.choices[0].text


async def test_a_stop_string_across_two_pieces_ends_the_text(client: openai.AsyncOpenAI) -> None:
    reply = await client.completions.create(
        model="novel",
        prompt=OPENING,
        max_tokens=500,
        stop="line 5.\nPiece 3",
        extra_body={"continuation": True},
    )
    assert reply.choices[0].text.endswith("Piece 2 has ")
    assert reply.choices[0].finish_reason == "stop"


async def test_as_many_characters_as_asked_for(client: openai.AsyncOpenAI) -> None:
    reply = await go_on(client, max_characters=333)
    assert len(reply.choices[0].text) == 333
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage is not None
    assert 40 < reply.usage.completion_tokens < 100


async def test_a_model_with_nothing_more_to_say_ends_the_text(
    client: openai.AsyncOpenAI, story: Story
) -> None:
    story.silent_after = 2
    reply = await go_on(client)
    assert reply.choices[0].finish_reason == "stop"
    assert reply.choices[0].text.endswith("Piece 2 has line 5.")
    assert len(story.prompts) == 3


async def test_a_version_that_was_begun_with_writes_to_the_end(
    app: Running, client: openai.AsyncOpenAI, engine: FakeEngine
) -> None:
    engine.faults.token_delay_s = 0.002
    telling = asyncio.create_task(go_on(client, max_tokens=300))
    await until(lambda: len(engine.requests) > 2)
    assert (await app.promote("novel", 2)).status_code == 200
    assert (await telling).model == "novel@1"
    told = [name for _, name, prompt in engine.requests if OPENING in prompt]
    assert len(told) > 5
    assert set(told) == {"novel@1"}


async def test_a_client_that_leaves_ends_it(
    app: Running, client: openai.AsyncOpenAI, engine: FakeEngine
) -> None:
    engine.faults.token_delay_s = 0.002
    telling = asyncio.create_task(go_on(client, max_tokens=60_000))
    await until(lambda: len(engine.requests) > 3)
    telling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await telling
    await until(lambda: not engine.running and not app.parts.lifecycle.under_way)
    count = len(engine.requests)
    await asyncio.sleep(0.05)
    assert len(engine.requests) == count


async def test_an_engine_that_dies_later_on_ends_a_stream_in_an_error(
    client: openai.AsyncOpenAI, engine: FakeEngine
) -> None:
    engine.faults.dies_after_tokens = 80
    stream = await client.completions.create(
        model="novel",
        prompt=OPENING,
        max_tokens=500,
        stream=True,
        extra_body={"continuation": True},
    )
    with pytest.raises(openai.APIError, match="engine"):
        async for _ in stream:
            pass


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 2),
        ("echo", True),
        ("logprobs", 1),
        ("min_tokens", 5),
        ("max_tokens", 70_000),
        ("prompt", ["a", "b"]),
        ("continuation", {"window_characters": 10}),
        ("continuation", {"windows": 10}),
    ],
)
async def test_what_makes_no_sense_with_it_is_refused_by_name(
    app: Running, field: str, value: object
) -> None:
    body = {"model": "novel", "prompt": OPENING, "continuation": True, field: value}
    reply = await app.client.post("/v1/completions", json=body)
    assert reply.status_code == 400
    assert field in reply.json()["error"]["param"]


async def test_without_it_a_completion_is_the_engines(client: openai.AsyncOpenAI) -> None:
    reply = await client.completions.create(
        model="novel", prompt=OPENING, max_tokens=200, extra_body={"continuation": False}
    )
    assert reply.choices[0].text.startswith("Piece 1 has line 0.")
    assert reply.choices[0].finish_reason == "stop"
