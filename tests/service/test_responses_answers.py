"""The Responses API over the fake engine: whole, streamed, cut short, and in failure."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from service.engine.fake import FakeEngine, words_for
from service.engine.protocol import JSON
from service.errors import EngineUnavailable
from service.responses_answers import ResponseFrame
from service.responses_requests import ResponsesRequest
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, listening, until

EVENT: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)


@pytest.fixture
async def client(
    engine: FakeEngine, memory_store: MemoryStore
) -> AsyncIterator[openai.AsyncOpenAI]:
    async with (
        listening(engine, memory_store) as app,
        openai.AsyncOpenAI(
            base_url=f"{app.client.base_url}/v1", api_key="none", max_retries=0
        ) as made,
    ):
        yield made


async def respond(app: Running, **fields: object) -> dict[str, Any]:
    response = await app.client.post("/v1/responses", json={"model": "alpha", **fields})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def events_of(text: str) -> list[dict[str, Any]]:
    """The events of a stream, each under its own name and number, the end mark taken off."""
    *frames, done, rest = text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    found = []
    for number, frame in enumerate(frames):
        name, _, data = frame.partition("\ndata: ")
        event: dict[str, Any] = json.loads(data)
        assert name == f"event: {event['type']}"
        assert event["sequence_number"] == number
        EVENT.validate_python(event)
        found.append(event)
    return found


async def test_a_whole_response_is_the_chats_answer_and_says_who_gave_it(app: Running) -> None:
    answer = await respond(app, input="Hello", instructions="Be brief.")
    Response.model_validate(answer, strict=True)
    assert (answer["object"], answer["status"], answer["model"]) == (
        "response",
        "completed",
        "alpha@1",
    )
    (item,) = answer["output"]
    prompt = "system: Be brief.\nuser: Hello\nassistant: "
    assert item["content"][0]["text"] == words_for("alpha@1", prompt)
    usage = answer["usage"]
    assert usage["output_tokens"] == 8
    assert usage["total_tokens"] == usage["input_tokens"] + 8
    assert answer["store"] is False


async def test_a_stream_tells_the_whole_response_step_by_step(app: Running) -> None:
    whole = await respond(app, input="Hello")
    response = await app.client.post(
        "/v1/responses", json={"model": "alpha", "input": "Hello", "stream": True}
    )
    assert response.headers["content-type"].startswith("text/event-stream")
    events = events_of(response.text)
    kinds = [event["type"] for event in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[4:-4] == ["response.output_text.delta"] * 8
    assert kinds[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    text = "".join(event["delta"] for event in events[4:-4])
    assert text == whole["output"][0]["content"][0]["text"] == events[-4]["text"]
    last = events[-1]["response"]
    assert last["usage"] == whole["usage"]
    assert last["output"][0]["content"][0]["text"] == text
    assert events[0]["response"]["status"] == "in_progress"
    assert {event["response"]["id"] for event in (events[0], events[-1])} == {last["id"]}


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_cut_by_its_limit_is_incomplete(app: Running, stream: bool) -> None:
    fields = {"input": "Hello", "max_output_tokens": 3, "stream": stream}
    response = await app.client.post("/v1/responses", json={"model": "alpha", **fields})
    answer = events_of(response.text)[-1]["response"] if stream else response.json()
    assert answer["status"] == "incomplete"
    assert answer["incomplete_details"] == {"reason": "max_output_tokens"}
    assert answer["usage"]["output_tokens"] == 3


async def test_log_probabilities_are_given_on_request(app: Running) -> None:
    answer = await respond(app, input="Hello", include=["message.output_text.logprobs"])
    part = answer["output"][0]["content"][0]
    assert "".join(token["token"] for token in part["logprobs"]) == part["text"]
    assert all(token["logprob"] < 0 for token in part["logprobs"])
    assert (await respond(app, input="Hello"))["output"][0]["content"][0]["logprobs"] == []


async def test_requests_are_counted_limited_and_refused_as_elsewhere(app: Running) -> None:
    await respond(app, input="Hello")
    unknown = await app.client.post("/v1/responses", json={"model": "nobody", "input": "Hi"})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")
    stored = await app.client.post(
        "/v1/responses", json={"model": "alpha", "input": "Hi", "previous_response_id": "resp_1"}
    )
    assert stored.status_code == 400
    assert "send the whole conversation" in stored.json()["error"]["message"]
    line = 'loradock_requests_total{adapter="alpha",code="200",route="createResponse",version="1"}'
    text = await app.metrics()
    assert f"{line} 1.0" in text
    assert 'loradock_output_tokens_total{adapter="alpha",version="1"} 8.0' in text


async def test_openais_client_reads_both_kinds(client: openai.AsyncOpenAI) -> None:
    answer = await client.responses.create(model="alpha", input="Hello")
    assert answer.output_text
    stream = await client.responses.create(model="alpha", input="Hello", stream=True)
    events = [event async for event in stream]
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == answer.output_text


async def test_a_stream_that_the_engines_death_cuts_ends_in_an_error(
    client: openai.AsyncOpenAI, engine: FakeEngine
) -> None:
    engine.faults.dies_after_tokens = 3
    stream = await client.responses.create(model="alpha", input="Hello", stream=True)
    with pytest.raises(openai.APIError, match="engine stopped"):
        async for _ in stream:
            pass


async def test_a_client_that_leaves_ends_its_generation(
    client: openai.AsyncOpenAI, engine: FakeEngine
) -> None:
    engine.faults.token_delay_s = 0.05
    stream = await client.responses.create(model="alpha", input="Hello", stream=True)
    await stream.close()
    await until(lambda: not engine.running, timeout_s=1.0)
    await asyncio.sleep(0)
    assert engine.aborted


def frame() -> ResponseFrame:
    return ResponseFrame(ResponsesRequest.model_validate({"model": "alpha", "input": "Hi"}))


def piece(delta: JSON, finish: str | None = None) -> JSON:
    return {"model": "alpha@1", "choices": [{"delta": delta, "finish_reason": finish}]}


def test_calls_in_a_stream_are_items_of_their_own() -> None:
    made = frame()
    called: JSON = {"index": 0, "id": "c1", "function": {"name": "f", "arguments": '{"a"'}}
    more: JSON = {"index": 0, "function": {"arguments": ":1}"}}
    second: JSON = {"index": 1, "id": "c2", "function": {"name": "g", "arguments": "{}"}}
    chunks = [
        piece({"role": "assistant", "content": ""}),
        piece({"content": "Wait."}),
        piece({"tool_calls": [called]}),
        piece({"tool_calls": [more]}),
        piece({"tool_calls": [second]}, "tool_calls"),
        cast(JSON, {"model": "alpha@1", "choices": [], "usage": {"completion_tokens": 5}}),
    ]
    text = b"".join(map(made.chunk, chunks)) + made.closing()
    last = events_of(text.decode())[-1]["response"]
    assert [item["type"] for item in last["output"]] == ["message", *["function_call"] * 2]
    assert [(item["name"], item["arguments"], item["call_id"]) for item in last["output"][1:]] == [
        ("f", '{"a":1}', "c1"),
        ("g", "{}", "c2"),
    ]


def test_a_whole_answer_that_is_a_call_has_no_message() -> None:
    call: JSON = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message: JSON = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice: JSON = {"message": message, "finish_reason": "tool_calls"}
    answer = frame().whole({"model": "alpha@1", "choices": [choice], "usage": {}})
    Response.model_validate(answer)
    (item,) = cast(list[JSON], answer["output"])
    assert (item["type"], item["name"], item["status"]) == ("function_call", "f", "completed")


def test_an_empty_stream_still_ends_in_a_whole_response() -> None:
    made = frame()
    text = made.chunk(piece({"role": "assistant", "content": ""}, "stop")) + made.closing()
    last = events_of(text.decode())[-1]["response"]
    assert last["output"][0]["content"][0]["text"] == ""


def test_an_error_is_an_event_with_the_errors_body() -> None:
    text = frame().error(EngineUnavailable("The engine stopped.")).decode()
    event = json.loads(text.partition("data: ")[2])
    assert event["type"] == "error"
    assert event["error"]["code"] == event["code"] == "engine_unavailable"
