"""Text completions that go on beyond the context window, behind `/v1/completions`.

Asks for piece after piece with a window on what is written so far. One lease and one place serve
them all, so a version that was begun with is the version to the end.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from pydantic import JsonValue

from service.engine.errors import RequestRefused
from service.engine.protocol import JSON, DockedAdapter, Engine
from service.manuscript import Manuscript
from service.requests import CompletionRequest, ContinuationOptions
from service.solving.sampling import Count, count_of, objects
from service.streams import close

DEFAULT_TOKENS = 2048
MAX_TOKENS = 65_536
PIECE_TOKENS = 512
LEAST_PIECE_TOKENS = 32
# A model that ends each piece at once must not be asked for ever.
MAX_PIECES = 512
LEAST_WINDOW_CHARACTERS = 200
# These are about one answer that the engine gives as a whole.
OF_ONE_PIECE = (
    "n",
    "min_tokens",
    "logprobs",
    "echo",
    "response_format",
    "structured_outputs",
)


async def complete(
    engine: Engine,
    request: CompletionRequest,
    body: JSON,
    adapter: DockedAdapter | None,
    request_id: str,
) -> JSON | AsyncIterator[JSON]:
    """Complete a text: by the engine as it is, or with `continuation` piece after piece.

    Raises:
        RequestRefused: The engine refuses the body, or a field that is about one piece stands
            beside `continuation`.
    """
    body = {name: value for name, value in body.items() if name != "continuation"}
    if not request.continuation:
        return await engine.complete(body, adapter, request_id)
    options = request.continuation
    if not isinstance(options, ContinuationOptions):
        options = ContinuationOptions()
    _require_one_text(request, body)
    chunks = _Continuation(engine, options, body, adapter, request_id).chunks()
    return chunks if request.stream else await _whole(chunks)


def _require_one_text(request: CompletionRequest, body: JSON) -> None:
    wrong = [name for name in OF_ONE_PIECE if body.get(name) is not None]
    if wrong:
        raise RequestRefused(
            400,
            f"{wrong[0]}: it cannot be set with `continuation`. Leave one of them out.",
            wrong[0],
        )
    if not isinstance(request.prompt, str):
        raise RequestRefused(
            400, "prompt: with `continuation` it must be one text, not a list of them.", "prompt"
        )
    if (request.max_tokens or 0) > MAX_TOKENS:
        raise RequestRefused(
            400, f"max_tokens: at most {MAX_TOKENS} with `continuation`.", "max_tokens"
        )


class _Continuation:
    """One text being continued."""

    def __init__(
        self,
        engine: Engine,
        options: ContinuationOptions,
        body: JSON,
        adapter: DockedAdapter | None,
        request_id: str,
    ) -> None:
        self._engine = engine
        self._adapter = adapter
        self._request_id = request_id
        self._body: JSON = {name: value for name, value in body.items() if name != "stop"}
        self._text = Manuscript(
            str(body["prompt"]), options.window_characters, options.head_characters
        )
        self._outlet = _Outlet(_stops(body), options.max_characters)
        limit = body.get("max_tokens")
        self._piece_tokens = PIECE_TOKENS
        self._tokens_left = limit if isinstance(limit, int) else DEFAULT_TOKENS
        self._count = Count()
        self._head: JSON = {
            "id": f"cmpl-{request_id}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": engine.base_model if adapter is None else adapter.name,
        }

    async def chunks(self) -> AsyncGenerator[JSON, None]:
        """Yield the pieces as one stream of a completion."""
        finish = "length"
        for number in range(MAX_PIECES):
            new_line = self._text.ends_a_sentence()
            if new_line:
                # As it was trained: an opening, a line break, and how it goes on.
                self._text.text += "\n"
            written = 0
            async with aclosing(self._piece(number)) as pieces:
                async for piece in pieces:
                    # Nothing at all is nothing, not an empty line.
                    led = f"\n{piece}" if new_line and not written else piece
                    written += len(piece)
                    if text := self._outlet.let_out(led):
                        yield self._chunk(text)
                    if self._outlet.shut:
                        break
            if self._outlet.shut or not written:
                finish = self._outlet.shut or "stop"
                break
            if self._tokens_left <= 0:
                break
        if rest := self._outlet.rest():
            yield self._chunk(rest)
        yield self._chunk("", finish)
        yield {**self._head, "choices": [], "usage": self._count.usage()}

    async def _piece(self, number: int) -> AsyncGenerator[str, None]:
        """What the engine writes after the window, until it ends or has enough."""
        stream = await self._ask(f"{self._request_id}-{number}")
        told = Count()
        try:
            async for chunk in stream:
                told = count_of(chunk) if chunk.get("usage") else told
                for choice in objects(chunk.get("choices")):
                    if text := choice.get("text"):
                        self._text.text += str(text)
                        yield str(text)
        finally:
            self._count = self._count.plus(told)
            self._tokens_left -= max(told.completion, 1)
            await close(stream)

    async def _ask(self, request_id: str) -> AsyncIterator[JSON]:
        """Ask for a piece; a smaller one after a narrower window while the engine finds it too long."""
        while True:
            body: JSON = {
                **self._body,
                "prompt": self._text.window(),
                "max_tokens": min(self._tokens_left, self._piece_tokens),
                "stream": True,
                # A piece that is left before its end must be counted too.
                "stream_options": {"include_usage": True, "continuous_usage_stats": True},
            }
            try:
                stream = await self._engine.complete(body, self._adapter, request_id)
            except RequestRefused as error:
                narrower = len(str(body["prompt"])) // 2
                if error.code != "context_length_exceeded" or narrower < LEAST_WINDOW_CHARACTERS:
                    raise
                self._text.narrow_to(narrower)
                self._piece_tokens = max(LEAST_PIECE_TOKENS, self._piece_tokens // 2)
                continue
            if isinstance(stream, dict):
                raise TypeError("the engine gives a whole answer that was asked for as a stream")
            return stream

    def _chunk(self, text: str, finish_reason: str | None = None) -> JSON:
        choice: JSON = {
            "index": 0,
            "text": text,
            "logprobs": None,
            "finish_reason": finish_reason,
        }
        return {**self._head, "choices": [choice]}


class _Outlet:
    """Lets text out up to a stop string or a length, even where that lies across two pieces.

    Attributes:
        shut: The finish reason, once nothing more may come out.
    """

    def __init__(self, stops: Sequence[str], max_characters: int | None) -> None:
        self._stops = stops
        self._left = max_characters
        self._held = ""
        self._hold = max((len(stop) - 1 for stop in stops), default=0)
        self.shut: str | None = None

    def let_out(self, piece: str) -> str:
        """What may go out with a piece; the beginning of a stop string is held back."""
        self._held += piece
        ends = [self._held.find(stop) for stop in self._stops if stop in self._held]
        if ends:
            self._held, self.shut = self._held[: min(ends)], "stop"
            return self.rest()
        return self._measured(max(0, len(self._held) - self._hold))

    def rest(self) -> str:
        """What was held back."""
        return self._measured(len(self._held))

    def _measured(self, count: int) -> str:
        if self._left is not None and count > self._left:
            count, self.shut = self._left, "length"
        out, self._held = self._held[:count], self._held[count:]
        if self._left is not None:
            self._left -= count
            self.shut = self.shut or (None if self._left else "length")
        if self.shut:
            self._held = ""
        return out


def _stops(body: JSON) -> list[str]:
    stop = body.get("stop")
    if isinstance(stop, str):
        return [stop]
    return [str(each) for each in stop] if isinstance(stop, list) else []


async def _whole(chunks: AsyncGenerator[JSON, None]) -> JSON:
    """A stream as one answer."""
    texts: list[str] = []
    last: JSON = {}
    usage: JsonValue = None
    async with aclosing(chunks):
        async for chunk in chunks:
            usage = chunk.get("usage") or usage
            for choice in objects(chunk.get("choices")):
                texts.append(str(choice["text"]))
                last = {**chunk, "choices": [choice]}
    whole: JsonValue = [
        {**choice, "text": "".join(texts)} for choice in objects(last.get("choices"))
    ]
    return {**last, "choices": whole, "usage": usage}
