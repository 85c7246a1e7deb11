"""vLLM's answers and errors as ours, without an engine."""

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest

from service.engine.errors import EngineDead, EngineError, EngineOverloaded, RequestRefused
from service.engine.protocol import JSON

pytestmark = pytest.mark.usefixtures("vllm_imported")


async def answered(outcome: object, *, dead: bool = False) -> object:
    """What becomes of an answer, or of an exception, of a serving object."""
    from service.engine.answering import answered as tested

    async def start() -> object:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return await tested(start, lambda: dead)


async def events(*payloads: object) -> AsyncGenerator[str, None]:
    for payload in payloads:
        yield f"data: {payload if isinstance(payload, str) else json.dumps(payload)}\n\n"


ERROR = {"error": {"message": "no", "type": "x", "code": 500, "param": None}}


async def test_a_full_queue_is_an_overload() -> None:
    from vllm.exceptions import MaxQueuedTokensError, QueueOverflowError

    for error in (QueueOverflowError(), MaxQueuedTokensError()):
        with pytest.raises(EngineOverloaded):
            await answered(error)


async def test_errors_of_the_client_are_refusals_with_the_field() -> None:
    from vllm.exceptions import VLLMValidationError

    with pytest.raises(RequestRefused, match="too hot") as refusal:
        await answered(VLLMValidationError("too hot", parameter="temperature", value=9))
    assert (refusal.value.status, refusal.value.param) == (400, "temperature")
    with pytest.raises(RequestRefused, match="not in this version"):
        await answered(NotImplementedError("not in this version"))


async def test_errors_of_a_dead_engine_are_its_death_and_of_a_living_one_are_not() -> None:
    from vllm.v1.engine.exceptions import EngineDeadError

    with pytest.raises(EngineDead):
        await answered(EngineDeadError(), dead=True)
    with pytest.raises(EngineError) as failure:
        await answered(RuntimeError("odd"))
    assert type(failure.value) is EngineError


async def test_a_long_message_is_cut() -> None:
    with pytest.raises(RequestRefused) as refusal:
        await answered(ValueError("x" * 100_000))
    assert len(refusal.value.message) == 1000


async def test_an_error_before_the_first_chunk_is_raised_at_once() -> None:
    with pytest.raises(EngineDead):
        await answered(events(ERROR), dead=True)


async def test_an_error_in_a_stream_ends_it() -> None:
    from service.engine.answering import Stream

    stream = await answered(events({"n": 1}, {"n": 2}, ERROR, {"n": 3}))
    assert isinstance(stream, Stream)
    seen: list[JSON] = [await anext(stream), await anext(stream)]
    assert seen == [{"n": 1}, {"n": 2}]
    with pytest.raises(EngineError):
        await anext(stream)


async def test_a_stream_ends_where_vllm_says_so() -> None:
    from service.engine.answering import Stream

    stream = await answered(events({"n": 1}, "[DONE]", {"n": 2}))
    assert isinstance(stream, Stream)
    assert [chunk async for chunk in stream] == [{"n": 1}]


async def test_closing_a_stream_that_nobody_read_closes_vllms() -> None:
    from service.engine.answering import Stream

    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[str, None]:
        try:
            while True:
                yield 'data: {"n": 1}\n\n'
        finally:
            closed.set()

    stream = await answered(endless())
    assert isinstance(stream, Stream)
    await stream.aclose()
    assert closed.is_set()
    assert [chunk async for chunk in stream] == []


async def test_a_cancelled_request_is_cancelled_though_vllm_answers() -> None:
    from vllm.entrypoints.serve import create_error_response

    from service.engine.answering import answered as tested

    async def start() -> object:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return create_error_response("Client disconnected")
        return {}

    task = asyncio.ensure_future(tested(start, lambda: False))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_nulls_that_openai_does_not_have_are_left_out() -> None:
    from service.engine.answering import trimmed

    given: JSON = {
        "choices": [{"finish_reason": None, "stop_reason": None, "delta": {"content": None}}],
        "metrics": None,
        "values": [None, 1],
    }
    assert trimmed(given) == {
        "choices": [{"finish_reason": None, "delta": {"content": None}}],
        "values": [None, 1],
    }
