"""vLLM's answers and errors as ours: dicts instead of SSE text, typed errors instead of codes."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError
from vllm.entrypoints.serve import create_error_response
from vllm.entrypoints.serve.engine.protocol import ErrorInfo, ErrorResponse
from vllm.exceptions import VLLMError

from service.engine.errors import EngineDead, EngineError, EngineOverloaded, RequestRefused
from service.engine.protocol import JSON

MAX_MESSAGE_CHARACTERS = 1000
SSE_PREFIX = "data: "
SSE_END = "[DONE]"
# What the OpenAI API has even when it is null; vLLM's other nulls are its own fields.
NULLABLE = {"content", "refusal", "finish_reason", "logprobs"}
# vLLM's words for a prompt that is too long; no body has such a field.
TOO_LONG = {"input_tokens", "input_text"}

M = TypeVar("M", bound=BaseModel)


def as_request(kind: type[M], body: JSON) -> M:
    """Make vLLM's request object of a body.

    Raises:
        RequestRefused: A field is wrong.
    """
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        # vLLM and pydantic put names of branches and validators beside those of fields.
        names = [str(name) for name in first["loc"] if str(name).isidentifier() or name == 0]
        param = names[0] if names else None
        raise RequestRefused(400, f"{param or 'body'}: {first['msg']}", param) from error
    except VLLMError as error:
        raise as_ours(create_error_response(error).error, dead=False) from error


async def answered(
    start: Callable[[], Awaitable[object]], dead: Callable[[], bool]
) -> "JSON | Stream":
    """Start a request and give its answer, or its stream once the first chunk is there.

    Waiting for the first chunk lets a request that vLLM refuses only then be refused as others.

    Args:
        start: Calls one of vLLM's serving objects.
        dead: Whether the engine is gone.

    Raises:
        RequestRefused: vLLM refuses the request.
        EngineDead: The engine is gone.
        EngineOverloaded: The engine's queue is full.
    """
    try:
        answer = await start()
    except Exception as error:
        raise as_ours(create_error_response(error).error, dead=dead()) from error
    if isinstance(answer, ErrorResponse):
        task = asyncio.current_task()
        # vLLM turns the cancellation of a completion into an answer.
        if task is not None and task.cancelling():
            raise asyncio.CancelledError
        raise as_ours(answer.error, dead=dead())
    if isinstance(answer, BaseModel):
        return _object(answer.model_dump(mode="json"))
    if not isinstance(answer, AsyncGenerator):
        raise EngineError(f"vLLM answered with {type(answer).__name__}, expected an answer.")
    chunks = _chunks(answer, dead)
    return Stream(await anext(chunks), chunks)


class Stream(AsyncIterator[JSON]):
    """The chunks of one answer, the first of which is there already."""

    def __init__(self, first: JSON, rest: AsyncGenerator[JSON, None]) -> None:
        self._first: JSON | None = first
        self._rest = rest

    async def __anext__(self) -> JSON:
        """The next chunk."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await anext(self._rest)

    async def aclose(self) -> None:
        """Abort the generation, if it is not at its end."""
        self._first = None
        await self._rest.aclose()


async def _chunks(
    stream: AsyncGenerator[str, None], dead: Callable[[], bool]
) -> AsyncGenerator[JSON, None]:
    async with aclosing(stream):
        async for event in stream:
            text = event.removeprefix(SSE_PREFIX).strip()
            if text == SSE_END:
                return
            chunk = _object(json.loads(text))
            if "error" in chunk:
                raise as_ours(ErrorInfo.model_validate(chunk["error"]), dead=dead())
            yield chunk


def as_ours(error: ErrorInfo, *, dead: bool) -> EngineError:
    """The error a vLLM error is to our callers.

    Args:
        error: vLLM's.
        dead: Whether the engine is gone.
    """
    status = HTTPStatus(error.code)
    message = str(error.message)[:MAX_MESSAGE_CHARACTERS]
    if status == HTTPStatus.NOT_IMPLEMENTED:
        return RequestRefused(HTTPStatus.BAD_REQUEST, message, error.param)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        if error.param in TOO_LONG:
            return RequestRefused(status, message, code="context_length_exceeded")
        return RequestRefused(status, message, error.param)
    if dead:
        return EngineDead("The engine is not running.")
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return EngineOverloaded(message)
    return EngineError(f"The engine failed on this request: {message}")


def trimmed(value: JsonValue) -> JsonValue:
    """Without the null fields that the OpenAI API does not have."""
    if isinstance(value, dict):
        return {
            key: trimmed(inner)
            for key, inner in value.items()
            if inner is not None or key in NULLABLE
        }
    if isinstance(value, list):
        return [trimmed(inner) for inner in value]
    return value


def _object(value: JsonValue) -> JSON:
    kept = trimmed(value)
    if not isinstance(kept, dict):
        raise EngineError(f"vLLM answered with {kept!r:.100}, expected an object.")
    return kept
