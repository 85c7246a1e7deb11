"""One request: framing, what it holds, and that it holds nothing once it is over."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from service.berths import Key
from service.engine.fake import FakeEngine
from service.engine.protocol import JSON, DockedAdapter
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, listening, running, until


def events(text: str) -> list[dict[str, object] | str]:
    """The payloads of a stream, each framed by one blank line."""
    frames = text.split("\n\n")
    assert frames.pop() == ""
    assert all(frame.startswith("data: ") for frame in frames)
    payloads = [frame.removeprefix("data: ") for frame in frames]
    return [payload if payload == "[DONE]" else json.loads(payload) for payload in payloads]


def nothing_is_held(app: Running) -> bool:
    parts = app.parts
    return (
        parts.admission.in_flight == 0
        and parts.lifecycle.under_way == 0
        and all(berth.leases == 0 for berth in parts.docks.berths.values())
    )


async def test_a_stream_is_the_same_text_as_the_whole(app: Running) -> None:
    whole = (await app.chat("alpha")).json()["choices"][0]["message"]["content"]
    response = await app.chat("alpha", stream=True)
    assert response.headers["content-type"].startswith("text/event-stream")
    *chunks, done = events(response.text)
    assert done == "[DONE]"
    text = ""
    for chunk in chunks:
        assert isinstance(chunk, dict)
        assert chunk["model"] == "alpha@1"
        assert "usage" not in chunk
        assert chunk["choices"]
        text += chunk["choices"][0]["delta"].get("content") or ""  # type: ignore[index]
    assert text == whole
    assert nothing_is_held(app)


async def test_usage_comes_last_and_only_if_asked(app: Running) -> None:
    options = {"include_usage": True, "include_obfuscation": False}
    response = await app.complete("alpha", stream=True, stream_options=options)
    *chunks, last, _ = events(response.text)
    assert all(isinstance(chunk, dict) and chunk["usage"] is None for chunk in chunks)
    assert isinstance(last, dict)
    assert last["choices"] == []
    assert last["usage"] == {"prompt_tokens": 1, "completion_tokens": 8, "total_tokens": 9}


async def test_what_fails_before_the_first_token_keeps_its_status_in_a_stream_too(
    app: Running, engine: FakeEngine
) -> None:
    assert (await app.chat("nobody", stream=True)).status_code == 404
    engine.faults.overloaded = True
    assert (await app.chat("alpha", stream=True)).status_code == 503
    assert nothing_is_held(app)


async def test_an_engine_that_dies_in_mid_stream_ends_it_with_an_error_event(
    app: Running, engine: FakeEngine
) -> None:
    engine.faults.dies_after_tokens = 3
    response = await app.complete("alpha", stream=True)
    assert response.status_code == 200
    *_, last = events(response.text)
    assert isinstance(last, dict)
    assert last["error"]["code"] == "engine_unavailable"  # type: ignore[index]
    assert nothing_is_held(app)


async def test_a_mistake_of_ours_in_mid_stream_ends_it_with_an_error_event_too(
    app: Running, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(body: JSON, adapter: DockedAdapter | None, request_id: str) -> object:
        async def chunks() -> AsyncIterator[JSON]:
            yield {"choices": [{"text": "one"}]}
            raise RuntimeError("a secret of the server")

        return chunks()

    monkeypatch.setattr(engine, "complete", broken)
    response = await app.complete("alpha", stream=True)
    *_, last = events(response.text)
    assert isinstance(last, dict)
    assert last["error"]["code"] == "internal_error"  # type: ignore[index]
    assert "secret" not in response.text
    assert nothing_is_held(app)


async def test_an_engine_that_dies_makes_a_whole_answer_503(
    app: Running, engine: FakeEngine
) -> None:
    engine.faults.dies_after_tokens = 3
    response = await app.complete("alpha")
    assert response.status_code == 503
    assert "retry-after" in response.headers


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_ends_its_generation(
    engine: FakeEngine, memory_store: MemoryStore, *, stream: bool
) -> None:
    async with listening(engine, memory_store) as app:
        engine.faults.token_delay_s = 0.5
        body = {"model": "alpha", "prompt": "Hello", "stream": stream}
        request = asyncio.create_task(app.client.post("/v1/completions", json=body))
        await until(lambda: engine.running)
        (request_id,) = engine.running
        assert app.parts.docks.berths[Key("alpha", 1)].leases == 1
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        await until(lambda: nothing_is_held(app), timeout_s=1.0)
        assert not engine.running
        assert engine.aborted == [request_id]
        engine.faults.token_delay_s = 0.0
        labels = 'adapter="alpha",version="1"'
        text = await app.metrics()
        assert f"loradock_client_disconnects_total{{{labels}}} 1.0" in text
        assert f"loradock_requests_in_flight{{{labels}}} 0.0" in text


async def test_a_client_that_leaves_in_mid_stream_ends_its_generation(
    engine: FakeEngine, memory_store: MemoryStore
) -> None:
    async with listening(engine, memory_store) as app:
        engine.faults.token_delay_s = 0.1
        body = {"model": "alpha", "prompt": "Hello", "stream": True}
        async with app.client.stream("POST", "/v1/completions", json=body) as response:
            await anext(response.aiter_lines())
            assert len(engine.running) == 1
        await until(lambda: nothing_is_held(app), timeout_s=1.0)
        assert not engine.running
        assert len(engine.aborted) == 1
        labels = 'adapter="alpha",version="1"'
        assert f"loradock_client_disconnects_total{{{labels}}} 1.0" in await app.metrics()


async def test_a_client_that_leaves_the_queue_is_not_served(
    engine: FakeEngine, memory_store: MemoryStore
) -> None:
    async with listening(engine, memory_store, {"max_in_flight_requests": 1}) as app:
        engine.faults.token_delay_s = 0.05
        first = asyncio.create_task(app.complete("alpha"))
        await until(lambda: engine.running)
        second = asyncio.create_task(app.complete("alpha"))
        await until(lambda: app.parts.admission.queued == 1)
        second.cancel()
        await until(lambda: app.parts.admission.queued == 0, timeout_s=1.0)
        assert (await first).status_code == 200
        assert len([name for _, name, _ in engine.requests if name == "alpha@1"]) == 2
        assert nothing_is_held(app)


async def test_a_full_queue_is_503_while_health_and_metrics_answer(
    engine: FakeEngine, memory_store: MemoryStore
) -> None:
    limits = {"max_in_flight_requests": 2, "max_queued_requests": 3}
    async with running(engine, memory_store, limits) as app:
        engine.faults.token_delay_s = 0.05
        load = [asyncio.create_task(app.complete("alpha")) for _ in range(20)]
        await until(lambda: app.parts.admission.queued == 3)
        assert (await app.client.get("/health/ready")).status_code == 200
        assert "loradock_requests_queued 3.0" in await app.metrics()
        codes = [response.status_code for response in await asyncio.gather(*load)]
    assert sorted(codes) == [200] * 5 + [503] * 15


async def test_streams_that_are_cut_say_so(app: Running, engine: FakeEngine) -> None:
    engine.faults.token_delay_s = 0.05
    stream = asyncio.create_task(app.complete("alpha", stream=True))
    whole = asyncio.create_task(app.complete("alpha"))
    await until(lambda: len(engine.running) == 2)
    await asyncio.sleep(0.12)
    app.parts.lifecycle.cut_all()
    *_, last = events((await stream).text)
    assert isinstance(last, dict)
    assert last["error"]["code"] == "shutting_down"  # type: ignore[index]
    assert (await whole).status_code == 503
    assert nothing_is_held(app)
    assert len(engine.aborted) == 2


async def test_no_new_work_is_taken_once_the_server_was_told_to_stop(app: Running) -> None:
    app.parts.lifecycle.stopping.set()
    for response in (
        await app.chat("alpha"),
        await app.complete("alpha", stream=True),
        await app.promote("alpha", 2),
        await app.client.get("/health/ready"),
    ):
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
    assert (await app.client.get("/health/live")).status_code == 200
    assert "loradock_draining 1.0" in await app.metrics()


async def test_a_slow_reader_does_not_hold_up_another(
    engine: FakeEngine, memory_store: MemoryStore
) -> None:
    async with listening(engine, memory_store) as app:
        body = {"model": "alpha", "prompt": "Hello", "stream": True}
        async with app.client.stream("POST", "/v1/completions", json=body) as slow:
            assert slow.status_code == 200
            async with httpx.AsyncClient(base_url=app.client.base_url) as other:
                answer = await asyncio.wait_for(
                    other.post("/v1/completions", json={**body, "stream": False}), 5
                )
            assert answer.status_code == 200
