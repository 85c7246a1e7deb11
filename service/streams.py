"""Server-sent events from an engine's chunks, timed as they pass.

A stream that is cut says so in an error event: clients take a stream without one as complete.
"""

import time
from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from pydantic import JsonValue
from pydantic_core import to_json

from service.engine.protocol import JSON
from service.metrics import Metrics, Served
from service.problems import ErrorBody, describe

DONE = b"data: [DONE]\n\n"


@runtime_checkable
class _Closable(Protocol):
    async def aclose(self) -> None: ...


async def close(chunks: AsyncIterator[JSON]) -> None:
    """Close an engine's iterator, which ends its generation if that still runs."""
    if isinstance(chunks, _Closable):
        await chunks.aclose()


def event(data: JSON) -> bytes:
    """One event; numbers that JSON does not know become null."""
    return b"data: " + to_json(data, inf_nan_mode="null") + b"\n\n"


def error_event(error: Exception) -> bytes:
    """What a client reads in place of the rest."""
    _, problem, _ = describe(error)
    return event(ErrorBody(error=problem).model_dump())


def has_tokens(chunk: JSON) -> bool:
    """Whether a chunk carries output, rather than a role, an end or a usage."""
    choices = chunk.get("choices")
    return isinstance(choices, list) and any(map(_choice_has_tokens, choices))


def _choice_has_tokens(choice: JsonValue) -> bool:
    if not isinstance(choice, dict):
        return False
    delta = choice.get("delta")
    source = delta if isinstance(delta, dict) else choice
    return any(source.get(key) for key in ("content", "text", "tool_calls", "reasoning"))


def is_usage(chunk: JSON) -> bool:
    """Whether this is the chunk at the end that holds the counts and nothing else."""
    return chunk.get("choices") == [] and chunk.get("usage") is not None


class Frame(Protocol):
    """How the engine's answer is written for its client."""

    def whole(self, answer: JSON) -> JSON:
        """The body of an answer that is not a stream."""

    def chunk(self, chunk: JSON) -> bytes:
        """What is sent for a chunk, perhaps nothing."""

    def closing(self) -> bytes:
        """What ends a stream that is complete."""

    def error(self, error: Exception) -> bytes:
        """What a client reads in place of the rest."""


class PlainFrame:
    """Chat and text completions: the engine's answers as they are.

    Args:
        wants_usage: Whether the client asked for counts at the end of its stream.
    """

    def __init__(self, *, wants_usage: bool) -> None:
        self._wants_usage = wants_usage

    def whole(self, answer: JSON) -> JSON:
        """The answer itself."""
        return answer

    def chunk(self, chunk: JSON) -> bytes:
        """One event, without the counts that nobody asked for."""
        if not self._wants_usage:
            if is_usage(chunk):
                return b""
            chunk.pop("usage", None)
        elif "choices" in chunk:
            # OpenAI's chunks all have the field once it was asked for.
            chunk.setdefault("usage", None)
        return event(chunk)

    def closing(self) -> bytes:
        """The mark that says that nothing is missing."""
        return DONE

    def error(self, error: Exception) -> bytes:
        """An event with the error's body."""
        return error_event(error)


class TokenClock:
    """Times of one stream: the first token, and the gaps between the others."""

    def __init__(self, metrics: Metrics, served: Served, started_s: float) -> None:
        self._metrics = metrics
        self._served = served
        self._started_s = started_s
        self._gaps = metrics.gaps(served)
        self._last_s: float | None = None
        self.first_token_s: float | None = None

    def token(self) -> None:
        """A chunk with output has come."""
        now_s = time.monotonic()
        if self._last_s is None:
            self.first_token_s = now_s - self._started_s
            self._metrics.first_token(self._served, self.first_token_s)
        else:
            self._gaps.observe(now_s - self._last_s)
        self._last_s = now_s


async def with_first(first: JSON, rest: AsyncIterator[JSON]) -> AsyncIterator[JSON]:
    """Put a chunk that was read ahead back in front."""
    yield first
    async for chunk in rest:
        yield chunk
