"""One inference request from its place in the queue to its last byte.

However it ends (answer, error, client gone, engine gone, shutdown) the generation is aborted, the
lease and the place are given back, and it is counted once: all in `close`.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack

from fastapi.responses import Response, StreamingResponse
from pydantic import JsonValue
from pydantic_core import to_json
from starlette.requests import Request

from service.engine.errors import EngineError
from service.engine.protocol import JSON, DockedAdapter
from service.engine.trace_headers import TRACE_HEADERS
from service.errors import AdapterUnavailable, ClientGone, NoRoom, ServiceError, ShuttingDown
from service.keys import Grant
from service.metrics import BASE, NONE, Served
from service.parts import Parts
from service.requests import ChatRequest, CompletionRequest
from service.responses_requests import ResponsesRequest
from service.solving.options import SolveOptions, SolveRequest
from service.streams import Frame, PlainFrame, TokenClock, close, has_tokens, with_first
from service.tracing import AnswerTrace, RequestTrace

SSE_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}
# Decides who gets a canary; clients that cannot set it may set `user`.
STICKY = "x-sticky-key"
CUT = "The server is shutting down and its time for answers under way is over. Ask again."

Body = ChatRequest | CompletionRequest | ResponsesRequest | SolveRequest
Answer = JSON | AsyncIterator[JSON]
Call = Callable[[JSON, DockedAdapter | None, str], Awaitable[Answer]]


class Exchange:
    """The life of one request; made by a dependency, which also closes it."""

    def __init__(self, parts: Parts, request: Request) -> None:
        self._parts = parts
        self._request = request
        # Clients may send one id twice at a time; the engine must not see that.
        self._engine_id = f"{request.state.request_id}-{uuid.uuid4().hex[:8]}"
        self._started_s = time.monotonic()
        self._engine_started_s = self._started_s
        self._stack = AsyncExitStack()
        self._served: Served | None = None
        self._ending = "not asked"
        self._usage: JsonValue = None
        self._clock: TokenClock | None = None
        self._reader: asyncio.Task[Answer] | asyncio.Task[object] | None = None
        self._cut = False
        self._trace: AnswerTrace | None = None
        self._model: str | None = None
        parts.lifecycle.begin(self.cut)

    async def answer(self, call: Call, body: Body, frame: Frame | None = None) -> Response:
        """Ask the engine and return its answer, whole or as a stream.

        Args:
            call: The engine's method.
            body: What it is asked.
            frame: How the answer is written; as it is, if unset.

        Raises:
            ServiceError: There is no such model, no room, no engine, or no client any more.
            EngineError: The engine refused the body, or is gone.
        """
        self._ending = "client gone"
        self._begin_trace(body)
        try:
            result = await self._unless_gone(self._ask(call, body))
        except ClientGone:
            raise
        except (ServiceError, EngineError) as error:
            self._fail("refused", error)
            raise
        frame = frame or PlainFrame(wants_usage=body.wants_usage())
        if isinstance(result, dict):
            self._usage = result.get("usage")
            self._ending = "complete"
            content = to_json(frame.whole(result), inf_nan_mode="null")
            return Response(content, media_type="application/json")
        events = self._events(result, frame)
        return StreamingResponse(events, headers=SSE_HEADERS, media_type="text/event-stream")

    async def _ask(self, call: Call, body: Body) -> Answer:
        self._parts.lifecycle.require_serving()
        grant: Grant = self._request.scope["state"]["grant"]
        grant.require(body.model)
        if _verifies(body):
            grant.require(self._parts.solving.verifier)
        self._stack.enter_context(self._parts.admission.room())
        # The version first: requests that wait for theirs must not keep places from the others.
        adapter = await self._hold(body.model, self._request.headers.get(STICKY, body.user))
        await self._stack.enter_async_context(self._parts.admission.place())
        served = self._serve(adapter)
        result = await call(body.for_engine(), adapter, self._engine_id)
        if isinstance(result, dict):
            return result
        self._stack.push_async_callback(_abort, result)
        self._clock = TokenClock(self._parts.metrics, served, self._started_s)
        # Waiting for the first chunk lets what fails until then be answered with its own status.
        first = await anext(result, None)
        return result if first is None else with_first(first, result)

    async def _hold(self, model: str, sticky: str | None) -> DockedAdapter | None:
        """Take a lease on what `model` stands for at this moment, for the one who asks."""
        state = self._request.scope["state"]
        if model == self._parts.engine.base_model:
            state["asked"] = BASE
            return None
        version = self._parts.reconciler.find(model, sticky)
        if version is None:
            version = await self._parts.reconciler.find_again(model)
        state["asked"] = version.name
        try:
            return await self._stack.enter_async_context(self._parts.docks.lease(version))
        except NoRoom:
            raise
        except AdapterUnavailable as error:
            # The reason may name files; it is for /admin and the log.
            raise AdapterUnavailable(
                f"{version} cannot be served at present. Its reason is in the server's log and, "
                "for those with the admin key, under /admin/adapters."
            ) from error

    def _serve(self, adapter: DockedAdapter | None) -> Served:
        self._engine_started_s = time.monotonic()
        self._model = self._parts.engine.base_model if adapter is None else adapter.name
        name, _, number = (BASE, "", BASE) if adapter is None else adapter.name.rpartition("@")
        self._served = self._parts.metrics.served(name, number)
        self._parts.metrics.entered(self._served, self._engine_started_s - self._started_s)
        return self._served

    async def _unless_gone(self, work: Coroutine[object, object, Answer]) -> Answer:
        """Do the work, but end it as soon as the client leaves or the server has to stop.

        Raises:
            ClientGone: The client left first.
            ShuttingDown: The server stopped first.
        """
        working = asyncio.ensure_future(work)
        watching = asyncio.ensure_future(_disconnected(self._request))
        self._reader = working
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ClientGone("The client left before its answer.")
            if working.cancelled() and self._cut:
                raise ShuttingDown(CUT)
            return working.result()
        finally:
            for task in (working, watching):
                task.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def _events(self, chunks: AsyncIterator[JSON], frame: Frame) -> AsyncIterator[bytes]:
        self._reader = asyncio.current_task()
        self._point_engine_to_trace()
        try:
            async for chunk in chunks:
                self._usage = chunk.get("usage") or self._usage
                if self._clock is not None and has_tokens(chunk):
                    self._clock.token()
                if written := frame.chunk(chunk):
                    yield written
            self._ending = "complete"
            yield frame.closing()
        except (EngineError, ServiceError) as error:
            self._fail("cut", error)
            yield frame.error(error)
        except asyncio.CancelledError:
            if not self._cut or self._reader is None:
                raise
            self._reader.uncancel()
            end = ShuttingDown(CUT)
            self._fail("cut", end)
            yield frame.error(end)
        except Exception as error:
            self._fail("cut", error)
            yield frame.error(error)
            raise

    def _fail(self, ending: str, error: Exception) -> None:
        self._ending = ending
        if self._trace is not None:
            self._trace.failed(error)

    def _begin_trace(self, body: Body) -> None:
        """Begin the answer's span, if this server traces."""
        trace: RequestTrace | None = self._request.scope["state"].get("trace")
        if trace is not None:
            operation = "text_completion" if isinstance(body, CompletionRequest) else "chat"
            self._trace = trace.answer(operation, body.model, body)
            self._point_engine_to_trace()

    def _point_engine_to_trace(self) -> None:
        """Let what this task asks of the engine belong to the answer's span."""
        if self._trace is not None:
            TRACE_HEADERS.set(self._trace.headers)

    def cut(self) -> None:
        """End now, with an error that the client can read."""
        self._cut = True
        if self._reader is not None:
            self._reader.cancel()

    async def close(self) -> None:
        """Give back what is held, and count."""
        self._parts.lifecycle.end(self.cut)
        self._reader = None
        await self._stack.aclose()
        now_s = time.monotonic()
        metrics = self._parts.metrics
        served = self._served or (NONE, NONE)
        if self._served is not None:
            metrics.left(self._served)
        if self._ending == "client gone":
            metrics.disconnected(served)
        counts = _counts(self._usage)
        if self._ending == "complete":
            metrics.completed(served, now_s - self._started_s)
            metrics.tokens(served, *counts, now_s - self._engine_started_s)
        self._tell(served, counts)

    def _tell(self, served: Served, counts: tuple[int, int]) -> None:
        """Leave what the outermost layer counts and logs."""
        state = self._request.scope["state"]
        state["served"] = served
        state["client_gone"] = self._ending == "client gone"
        state["log"] = {
            "adapter": served[0],
            "version": served[1],
            "ending": self._ending,
            "prompt_tokens": counts[0],
            "output_tokens": counts[1],
            "queue_s": round(self._engine_started_s - self._started_s, 4),
        }
        if self._clock is not None and self._clock.first_token_s is not None:
            state["log"]["first_token_s"] = round(self._clock.first_token_s, 4)
        if self._trace is not None:
            self._trace.end(self._model, state["log"])


def _verifies(body: Body) -> bool:
    """Whether the verifier is asked too, which the key must open as well."""
    options = body.solve if isinstance(body, ChatRequest) else body
    return isinstance(options, SolveOptions) and options.verify


async def _disconnected(request: Request) -> None:
    """Return when the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _abort(chunks: AsyncIterator[JSON]) -> None:
    """Close an engine's iterator; one that is gone has nothing left to close."""
    with contextlib.suppress(EngineError):
        await close(chunks)


def _counts(usage: JsonValue) -> tuple[int, int]:
    """Prompt and output tokens by the engine's count."""
    if not isinstance(usage, dict):
        return 0, 0
    prompt, output = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return (
        prompt if isinstance(prompt, int) else 0,
        output if isinstance(output, int) else 0,
    )
