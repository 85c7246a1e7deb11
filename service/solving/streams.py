"""A streamed chat completion as text, for whoever reads it while it grows."""

from collections.abc import AsyncGenerator

from service.engine.protocol import JSON, DockedAdapter, Engine
from service.solving.attempts import Draft
from service.solving.sampling import Count, count_of, greedy, objects
from service.streams import close


class TextStream:
    """One streamed answer of one choice.

    Attributes:
        count: Its tokens, known at the end.
    """

    def __init__(self, engine: Engine, body: JSON, adapter: DockedAdapter, request_id: str) -> None:
        self._engine = engine
        self._body: JSON = {**greedy(body), "stream": True}
        self._adapter = adapter
        self._request_id = request_id
        self._text = ""
        self._finish_reason: str | None = None
        self.count = Count()

    async def chunks(self) -> AsyncGenerator[tuple[JSON, str], None]:
        """Yield the engine's chunks, each with the text it adds; closing this ends the generation."""
        stream = await self._engine.chat(self._body, self._adapter, self._request_id)
        if isinstance(stream, dict):
            raise TypeError("the engine gives a whole answer that was asked for as a stream")
        try:
            async for chunk in stream:
                piece, finish_reason = added(chunk)
                self._text += piece
                self._finish_reason = finish_reason or self._finish_reason
                if chunk.get("usage"):
                    self.count = count_of(chunk)
                yield chunk, piece
        finally:
            await close(stream)

    @property
    def draft(self) -> Draft:
        """What has come so far."""
        return Draft(self._text, self._finish_reason)


def added(chunk: JSON) -> tuple[str, str | None]:
    """The text that a chunk adds to its choice, and why the choice ends if it does."""
    for choice in objects(chunk.get("choices")):
        delta = choice.get("delta")
        content = delta.get("content") if isinstance(delta, dict) else None
        finish = choice.get("finish_reason")
        return (
            content if isinstance(content, str) else "",
            finish if isinstance(finish, str) else None,
        )
    return "", None
