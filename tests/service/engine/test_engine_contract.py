"""What every engine promises; the fake and vLLM pass the same tests."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from adapters.manifest import PromptForm, Sampling
from service.engine.errors import DockFailed, EngineDead, RequestRefused
from service.engine.fake import FakeEngine
from service.engine.profile import EngineSettings
from service.engine.protocol import JSON, DockedAdapter, Engine
from tests.service.engine.conftest import BASE_MODEL, MAX_DOCKED, Version

QUESTION: JSON = {
    "messages": [{"role": "user", "content": "How many?"}],
    "temperature": 0.0,
    "max_tokens": 6,
}
TEXT: JSON = {"prompt": "Once upon a time", "temperature": 0.0, "max_tokens": 6}
TEMPLATE = "Question: {{ messages[-1]['content'] }}{{ '\\nAnswer:\\n' }}"


@asynccontextmanager
async def docked(engine: Engine, adapter: DockedAdapter) -> AsyncIterator[DockedAdapter]:
    await engine.dock(adapter)
    try:
        yield adapter
    finally:
        await engine.undock(adapter)


async def ask(engine: Engine, body: JSON, adapter: DockedAdapter | None = None) -> JSON:
    """The whole answer, of either kind of body."""
    method = engine.chat if "messages" in body else engine.complete
    answer = await method(body, adapter, "request-1")
    assert isinstance(answer, dict)
    return answer


async def stream(engine: Engine, body: JSON, adapter: DockedAdapter | None = None) -> list[JSON]:
    method = engine.chat if "messages" in body else engine.complete
    answer = await method({**body, "stream": True}, adapter, "request-1")
    assert not isinstance(answer, dict)
    return [chunk async for chunk in answer]


def choices(answer: JSON) -> list[JSON]:
    return cast(list[JSON], answer["choices"])


def text(answer: JSON, index: int = 0) -> str:
    """The text of one choice of a whole answer or a chunk, "" if it has no such choice."""
    for choice in choices(answer):
        if choice["index"] == index:
            holder = choice.get("message") or choice.get("delta") or choice
            return str(cast(JSON, holder).get("content", cast(JSON, holder).get("text", "")))
    return ""


@pytest.mark.parametrize("body", [QUESTION, TEXT], ids=["chat", "text"])
async def test_a_whole_answer_has_the_shape_of_openais(engine: Engine, body: JSON) -> None:
    answer = await ask(engine, body)
    kind = "chat.completion" if "messages" in body else "text_completion"
    assert (answer["object"], answer["model"]) == (kind, BASE_MODEL)
    assert str(answer["id"]).endswith("request-1")
    assert isinstance(answer["created"], int)
    (choice,) = choices(answer)
    assert choice["index"] == 0
    assert choice["finish_reason"] in {"stop", "length"}
    if "messages" in body:
        message = cast(JSON, choice["message"])
        assert message["role"] == "assistant"
        assert isinstance(message["content"], str)
    usage = cast(dict[str, int], answer["usage"])
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert 1 <= usage["completion_tokens"] <= 6


@pytest.mark.parametrize("body", [QUESTION, TEXT], ids=["chat", "text"])
async def test_an_adapter_gives_its_name_and_another_answer(
    engine: Engine, version: Version, body: JSON
) -> None:
    base = await ask(engine, body)
    async with docked(engine, version()) as adapter:
        answer = await ask(engine, body, adapter)
        assert answer["model"] == adapter.name
        assert text(answer) != text(base)
        assert text(await ask(engine, body)) == text(base)


@pytest.mark.parametrize("body", [QUESTION, TEXT], ids=["chat", "text"])
async def test_a_stream_gives_the_same_text_and_ends_in_usage(
    engine: Engine, version: Version, body: JSON
) -> None:
    async with docked(engine, version()) as adapter:
        whole = await ask(engine, body, adapter)
        chunks = await stream(engine, body, adapter)
    assert "".join(map(text, chunks)) == text(whole)
    assert {chunk["model"] for chunk in chunks} == {adapter.name}
    assert len({chunk["id"] for chunk in chunks}) == 1
    *pieces, last = chunks
    assert last["choices"] == []
    usage, expected = (cast(dict[str, int], part["usage"]) for part in (last, whole))
    assert usage["completion_tokens"] == expected["completion_tokens"]
    assert usage["prompt_tokens"] == expected["prompt_tokens"]
    assert all(choices(piece) and "usage" not in piece for piece in pieces)
    finishes = [choices(piece)[0]["finish_reason"] for piece in pieces]
    assert finishes[-1] == choices(whole)[0]["finish_reason"]
    assert set(finishes[:-1]) == {None}


async def test_a_stream_of_chat_opens_with_the_role(engine: Engine) -> None:
    first = (await stream(engine, QUESTION))[0]
    assert first["object"] == "chat.completion.chunk"
    assert cast(JSON, choices(first)[0]["delta"])["role"] == "assistant"


async def test_several_choices_are_numbered(engine: Engine) -> None:
    two: JSON = {**TEXT, "n": 2, "temperature": 1.0, "seed": 7}
    whole = await ask(engine, two)
    assert [choice["index"] for choice in choices(whole)] == [0, 1]
    chunks = await stream(engine, two)
    for index in (0, 1):
        joined = "".join(text(chunk, index) for chunk in chunks)
        assert joined == text(whole, index)


async def test_log_probabilities_are_finite_and_one_for_each_token(engine: Engine) -> None:
    answer = await ask(engine, {**TEXT, "logprobs": 1})
    logprobs = cast(dict[str, list[float]], choices(answer)[0]["logprobs"])
    usage = cast(dict[str, int], answer["usage"])
    assert len(logprobs["tokens"]) == usage["completion_tokens"]
    assert len(logprobs["token_logprobs"]) == usage["completion_tokens"]
    assert all(math.isfinite(value) and value < 0 for value in logprobs["token_logprobs"])


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({**QUESTION, "messages": "hello"}, "messages"),
        ({**QUESTION, "max_tokens": -1}, "max_tokens"),
        ({**QUESTION, "temperature": "hot"}, "temperature"),
        ({**TEXT, "temperature": -1.0}, "temperature"),
        ({**TEXT, "prompt": {"text": "x"}}, "prompt"),
    ],
)
async def test_a_wrong_field_is_refused_by_name(
    engine: Engine, body: JSON, param: str, streamed: bool
) -> None:
    method = engine.chat if "messages" in body else engine.complete
    with pytest.raises(RequestRefused) as refusal:
        await method({**body, "stream": streamed}, None, "request-1")
    assert (refusal.value.status, refusal.value.param) == (400, param)
    assert param in refusal.value.message


async def test_a_prompt_longer_than_the_context_is_refused(engine: Engine) -> None:
    with pytest.raises(RequestRefused) as refusal:
        await engine.complete({**TEXT, "prompt": "word " * 5000}, None, "request-1")
    assert (refusal.value.status, refusal.value.code) == (400, "context_length_exceeded")


async def test_a_template_makes_the_prompt_and_nothing_else_does(
    engine: Engine, version: Version
) -> None:
    adapter = version(prompt=PromptForm(template=TEMPLATE))
    body: JSON = {**QUESTION, "messages": [{"role": "user", "content": " 你好 \n"}]}
    async with docked(engine, adapter):
        chat = await ask(engine, body, adapter)
        plain: JSON = {**TEXT, "prompt": "Question:  你好 \n\nAnswer:\n"}
        completed = await ask(engine, {**plain, "add_special_tokens": False}, adapter)
        assert text(chat) == text(completed)
        assert "".join(map(text, await stream(engine, body, adapter))) == text(completed)


async def test_text_parts_are_text(engine: Engine, version: Version) -> None:
    adapter = version(prompt=PromptForm(template=TEMPLATE))
    parts: JSON = {
        **QUESTION,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "How many?"}]}],
    }
    async with docked(engine, adapter):
        assert text(await ask(engine, parts, adapter)) == text(await ask(engine, QUESTION, adapter))


async def test_an_adapters_sampling_applies_where_the_body_sets_none(
    engine: Engine, version: Version
) -> None:
    form = PromptForm(template=TEMPLATE, sampling=Sampling(max_tokens=2))
    bare: JSON = {"messages": QUESTION["messages"]}
    adapter = version(prompt=form)
    async with docked(engine, adapter):
        answers = [await ask(engine, bare, adapter) for _ in range(2)]
        longer = await ask(engine, {**bare, "max_completion_tokens": 4}, adapter)
        long_text = text(longer)
        stop = long_text[2:3]
        stopped = await ask(engine, {**bare, "max_tokens": 4, "stop": stop}, adapter)
    assert [cast(JSON, answer["usage"])["completion_tokens"] for answer in answers] == [2, 2]
    assert text(answers[0]) == text(answers[1])
    assert cast(JSON, longer["usage"])["completion_tokens"] == 4
    assert text(stopped) == long_text[: long_text.index(stop)]


async def test_an_adapters_stop_strings_apply_unless_the_body_has_its_own(
    engine: Engine, version: Version
) -> None:
    async with docked(engine, version()) as adapter:
        full = text(await ask(engine, QUESTION, adapter))
    stop = full[-1]
    # The same weights under the same name, so the same answer.
    adapter = replace(adapter, int_id=version().int_id, prompt=PromptForm(stop=[stop]))
    async with docked(engine, adapter):
        stopped = await ask(engine, QUESTION, adapter)
        own = await ask(engine, {**QUESTION, "stop": ["\x00\x00"]}, adapter)
    assert text(stopped) == full[: full.index(stop)]
    assert choices(stopped)[0]["finish_reason"] == "stop"
    assert text(own) == full


@pytest.mark.parametrize("body", [QUESTION, TEXT], ids=["chat", "text"])
async def test_a_stop_string_that_spans_tokens_ends_a_stream_before_its_first_letter(
    engine: Engine, body: JSON
) -> None:
    told = text(await ask(engine, {**body, "max_tokens": 12}))
    for start in range(1, len(told) - 7, 5):
        stop = told[start : start + 7]
        stopping: JSON = {**body, "max_tokens": 12, "stop": [stop]}
        whole = await ask(engine, stopping)
        chunks = await stream(engine, stopping)
        assert text(whole) == "".join(map(text, chunks)) == told[: told.index(stop)]
        assert choices(whole)[0]["finish_reason"] == "stop"
        assert choices(chunks[-2])[0]["finish_reason"] == "stop"


async def test_what_is_docked_is_known_by_id(engine: Engine, version: Version) -> None:
    first, second = version("alpha"), version("beta")
    await engine.dock(first)
    await engine.dock(second)
    assert await engine.docked() == {first.int_id, second.int_id}
    await engine.undock(first)
    assert await engine.docked() == {second.int_id}
    await engine.undock(second)
    assert await engine.docked() == set()


async def test_a_dock_that_fails_leaves_the_engine_as_it_was(
    engine: Engine, version: Version, tmp_path: Path
) -> None:
    async with docked(engine, version()) as adapter:
        before = text(await ask(engine, QUESTION, adapter))
        missing = DockedAdapter("lost@1", version().int_id, tmp_path / "lost", PromptForm())
        with pytest.raises(DockFailed, match="lost@1"):
            await engine.dock(missing)
        assert await engine.docked() == {adapter.int_id}
        assert text(await ask(engine, QUESTION, adapter)) == before
        assert engine.alive()


async def test_more_adapters_than_there_are_places_are_refused(
    engine: Engine, version: Version
) -> None:
    held = [version("alpha"), version("beta"), version("alpha")]
    assert len(held) == MAX_DOCKED
    for adapter in held:
        await engine.dock(adapter)
    with pytest.raises(DockFailed, match=f"{MAX_DOCKED}"):
        await engine.dock(version("beta"))
    assert await engine.docked() == {adapter.int_id for adapter in held}
    for adapter in held:
        await engine.undock(adapter)


async def test_requests_to_several_adapters_at_once_keep_apart(
    engine: Engine, version: Version
) -> None:
    async with docked(engine, version("alpha")) as alpha, docked(engine, version("beta")) as beta:
        whom = [None, alpha, beta, alpha, None, beta]
        alone = [text(await ask(engine, TEXT, adapter)) for adapter in whom]
        together = await asyncio.gather(*(ask(engine, TEXT, adapter) for adapter in whom))
    assert [text(answer) for answer in together] == alone
    assert len(set(alone)) == 3


async def test_echo_gives_the_prompt_and_its_log_probabilities(engine: Engine) -> None:
    body: JSON = {**TEXT, "max_tokens": 0, "echo": True, "logprobs": 1}
    (choice,) = choices(await ask(engine, body))
    assert choice["text"] == TEXT["prompt"]
    logprobs = cast(dict[str, list[float | None]], choice["logprobs"])
    first, *others = logprobs["token_logprobs"]
    assert first is None
    assert others
    assert all(value is not None and value <= 0 for value in others)
    longer = choices(await ask(engine, {**body, "max_tokens": 2}))[0]
    assert str(longer["text"]).startswith(str(TEXT["prompt"]))


async def test_it_computes_at_least_one_adapter_and_no_more_than_it_holds(engine: Engine) -> None:
    assert 1 <= engine.max_slots <= MAX_DOCKED


async def test_the_metrics_are_text(engine: Engine) -> None:
    await ask(engine, TEXT)
    lines = engine.metrics_text().splitlines()
    assert all(line.startswith(("vllm:", "#")) for line in lines)


async def test_an_engine_that_was_never_started_is_dead(
    kind: str, version: Version, request: pytest.FixtureRequest
) -> None:
    engine: Engine
    if kind == "vllm":
        settings: EngineSettings = request.getfixturevalue("settings")
        from service.engine.vllm_engine import VllmEngine

        engine = VllmEngine(Path("nowhere"), BASE_MODEL, settings)
    else:
        engine = FakeEngine(BASE_MODEL)
    assert not engine.alive()
    for call in (
        lambda: engine.chat(QUESTION, None, "request-1"),
        lambda: engine.complete(TEXT, None, "request-1"),
        lambda: engine.dock(version()),
        lambda: engine.undock(version()),
        engine.docked,
    ):
        with pytest.raises(EngineDead):
            await call()
    await engine.stop()
