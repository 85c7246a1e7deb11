"""Answers of `/v1/responses` from those of the chat API: the whole object, or its events.

The shapes are those of the Open Responses description, every field of which is always there.
"""

import time
import uuid
from collections import deque
from collections.abc import Iterator

from pydantic import JsonValue
from pydantic_core import to_json

from service.engine.protocol import JSON
from service.problems import describe
from service.responses_requests import ResponsesRequest


def sse(event: JSON) -> bytes:
    """One event, named by its type."""
    data = to_json(event, inf_nan_mode="null")
    return f"event: {event['type']}\ndata: ".encode() + data + b"\n\n"


class ResponseFrame:
    """Turns one chat answer, or its chunks, into a response."""

    def __init__(self, request: ResponsesRequest) -> None:
        self._request = request
        self._id = f"resp_{uuid.uuid4().hex}"
        self._created = int(time.time())
        self._model = request.model
        self._number = 0
        self._items: list[_Text | _Call] = []
        self._finish: JsonValue = None
        self._usage: JsonValue = None
        self._begun = False

    def whole(self, answer: JSON) -> JSON:
        """The response that a whole chat answer is."""
        self._model = str(answer["model"])
        self._usage = answer.get("usage")
        choice = _first(answer)
        message = _dict(choice.get("message"))
        self._finish = choice.get("finish_reason")
        calls = [_dict(call) for call in _list(message.get("tool_calls"))]
        # The events are for streams; here only what they leave in the items counts.
        if message.get("content") or not calls:
            deque(self._say(message.get("content"), choice.get("logprobs")), maxlen=0)
        for call in calls:
            deque(self._call(call), maxlen=0)
        return self._response(done=True)

    def chunk(self, chunk: JSON) -> bytes:
        """The events that one chunk of a chat stream is."""
        return b"".join(sse(self._numbered(event)) for event in self._events_of(chunk))

    def _events_of(self, chunk: JSON) -> Iterator[JSON]:
        self._model = str(chunk["model"])
        self._usage = chunk.get("usage") or self._usage
        if not self._begun:
            self._begun = True
            yield {"type": "response.created", "response": self._response(done=False)}
            yield {"type": "response.in_progress", "response": self._response(done=False)}
        choice = _first(chunk)
        self._finish = choice.get("finish_reason") or self._finish
        delta = _dict(choice.get("delta"))
        if delta.get("content"):
            yield from self._say(delta["content"], choice.get("logprobs"))
        for call in _list(delta.get("tool_calls")):
            yield from self._call(_dict(call))

    def _say(self, text: JsonValue, logprobs: JsonValue) -> Iterator[JSON]:
        last = self._items[-1] if self._items else None
        if not isinstance(last, _Text):
            last = _Text(len(self._items))
            yield from self._begin(last)
        yield from last.add(text, logprobs)

    def _call(self, call: JSON) -> Iterator[JSON]:
        last = self._items[-1] if self._items else None
        # Of a stream, only the first piece of a call has a name.
        if not isinstance(last, _Call) or _dict(call.get("function")).get("name"):
            last = _Call(len(self._items), call)
            yield from self._begin(last)
        yield from last.add(_dict(call.get("function")).get("arguments"))

    def _begin(self, item: "_Text | _Call") -> Iterator[JSON]:
        if self._items:
            yield from self._items[-1].close()
        self._items.append(item)
        yield from item.open()

    def closing(self) -> bytes:
        """The events that end a stream, and the mark behind them."""
        events: list[JSON] = []
        if not self._items:
            events += self._begin(_Text(0))
        events += self._items[-1].close()
        response = self._response(done=True)
        events.append({"type": f"response.{response['status']}", "response": response})
        return b"".join(sse(self._numbered(event)) for event in events) + b"data: [DONE]\n\n"

    def error(self, error: Exception) -> bytes:
        """What a client reads in place of the rest."""
        problem = describe(error)[1].model_dump()
        # The field `error` is what OpenAI's client raises on, whatever the stream is of.
        return sse(self._numbered({**problem, "type": "error", "error": problem}))

    def _numbered(self, event: JSON) -> JSON:
        event["sequence_number"] = self._number
        self._number += 1
        return event

    def _response(self, *, done: bool) -> JSON:
        request = self._request
        cut = self._finish == "length"
        status = ("incomplete" if cut else "completed") if done else "in_progress"
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "completed_at": int(time.time()) if status == "completed" else None,
            "status": status,
            "incomplete_details": {"reason": "max_output_tokens"} if done and cut else None,
            "model": self._model,
            "output": [item.shown(status) for item in self._items],
            "usage": _usage(_dict(self._usage)) if done else None,
            **_echoed(request),
        }


class _Text:
    """The message of an answer; `place` is its position among the items."""

    def __init__(self, place: int) -> None:
        self.place = place
        self._id = f"msg_{uuid.uuid4().hex}"
        self._text = ""
        self._logprobs: list[JsonValue] = []

    def shown(self, status: str) -> JSON:
        """The item as it stands; it has no part until it has begun to say something."""
        parts = [] if status == "in_progress" else [self._part()]
        return {
            "type": "message",
            "id": self._id,
            "status": status,
            "role": "assistant",
            "content": list(parts),
        }

    def _part(self) -> JSON:
        logprobs = list(self._logprobs)
        return {
            "type": "output_text",
            "text": self._text,
            "annotations": [],
            "logprobs": logprobs,
        }

    def add(self, text: JsonValue, logprobs: JsonValue = None) -> Iterator[JSON]:
        """Take a piece, and tell it."""
        self._text += str(text or "")
        fresh = [_logprob(_dict(token)) for token in _list(_dict(logprobs).get("content"))]
        self._logprobs += fresh
        yield self._event("response.output_text.delta", delta=text, logprobs=list(fresh))

    def open(self) -> Iterator[JSON]:
        """Announce the item and its part."""
        yield _added(self)
        yield self._event("response.content_part.added", part=self._part())

    def close(self) -> Iterator[JSON]:
        """End the part and the item."""
        logprobs = list(self._logprobs)
        yield self._event("response.output_text.done", text=self._text, logprobs=logprobs)
        yield self._event("response.content_part.done", part=self._part())
        yield _done(self)

    def _event(self, kind: str, **fields: JsonValue) -> JSON:
        place: JSON = {"item_id": self._id, "output_index": self.place, "content_index": 0}
        return {"type": kind, **place, **fields}


class _Call:
    """A call that the model makes."""

    def __init__(self, place: int, call: JSON) -> None:
        self.place = place
        self._id = f"fc_{uuid.uuid4().hex}"
        self._call_id = call.get("id") or f"call_{uuid.uuid4().hex}"
        self._name = _dict(call.get("function")).get("name")
        self._arguments = ""

    def shown(self, status: str) -> JSON:
        """The item as it stands."""
        return {
            "type": "function_call",
            "id": self._id,
            "call_id": self._call_id,
            "name": self._name,
            "arguments": self._arguments,
            "status": status,
        }

    def add(self, text: JsonValue, _: JsonValue = None) -> Iterator[JSON]:
        """Take a piece of the arguments, and tell it."""
        self._arguments += str(text or "")
        yield self._event("response.function_call_arguments.delta", delta=text or "")

    def open(self) -> Iterator[JSON]:
        """Announce the item."""
        yield _added(self)

    def close(self) -> Iterator[JSON]:
        """End the arguments and the item."""
        yield self._event("response.function_call_arguments.done", arguments=self._arguments)
        yield _done(self)

    def _event(self, kind: str, **fields: JsonValue) -> JSON:
        return {"type": kind, "item_id": self._id, "output_index": self.place, **fields}


def _added(item: _Text | _Call) -> JSON:
    shown = item.shown("in_progress")
    return {"type": "response.output_item.added", "output_index": item.place, "item": shown}


def _done(item: _Text | _Call) -> JSON:
    shown = item.shown("completed")
    return {"type": "response.output_item.done", "output_index": item.place, "item": shown}


def _echoed(request: ResponsesRequest) -> JSON:
    """What was asked for, as the response repeats it."""
    text: JSON = {"type": "text"} if request.text is None else request.text.as_format()
    return {
        "error": None,
        "instructions": request.instructions,
        "previous_response_id": None,
        "tools": [tool.shown() for tool in request.tools or ()],
        "tool_choice": request.choice_shown(),
        "parallel_tool_calls": request.parallel_tool_calls is not False,
        "truncation": "disabled",
        "text": {"format": text},
        "temperature": 1.0 if request.temperature is None else request.temperature,
        "top_p": 1.0 if request.top_p is None else request.top_p,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "top_logprobs": request.top_logprobs or 0,
        "reasoning": None,
        "max_output_tokens": request.max_output_tokens,
        "max_tool_calls": None,
        "store": False,
        "background": False,
        "service_tier": "default",
        "metadata": dict(request.metadata or {}),
        "safety_identifier": request.safety_identifier,
        "prompt_cache_key": request.prompt_cache_key,
    }


def _usage(usage: JSON) -> JSON:
    cached = _dict(usage.get("prompt_tokens_details")).get("cached_tokens")
    return {
        "input_tokens": usage.get("prompt_tokens", 0),
        "input_tokens_details": {"cached_tokens": cached or 0, "cache_write_tokens": 0},
        "output_tokens": usage.get("completion_tokens", 0),
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.get("total_tokens", 0),
    }


def _logprob(token: JSON) -> JSON:
    """One token's log-probability; the chat API's without the nulls."""
    top = [_logprob(_dict(other)) for other in _list(token.get("top_logprobs"))]
    return {
        "token": token.get("token"),
        "logprob": token.get("logprob"),
        "bytes": token.get("bytes") or [],
        **({"top_logprobs": list(top)} if "top_logprobs" in token else {}),
    }


def _first(answer: JSON) -> JSON:
    choices = _list(answer.get("choices"))
    return _dict(choices[0]) if choices else {}


def _dict(value: JsonValue) -> JSON:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
