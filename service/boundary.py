"""The outermost layer: request ids, body limits, and one count and one log line per request.

Plain ASGI, so that nothing of a stream is held back. Knows no route and no adapter.
"""

import asyncio
import re
import time
import uuid
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import (
    CLIENT_CLOSED_REQUEST,
    BodyTooLarge,
    BodyTooSlow,
    ServiceError,
    UnsupportedEncoding,
)
from service.keys import Grant
from service.metrics import NONE, Metrics, Served
from service.problems import describe, response_of, unknown_path

log = structlog.get_logger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
BODY_TIMEOUT_S = 30.0
ADMIN = "/admin"
ON_BOTH_PORTS = ("/health/", "/metrics", "/page/")
PAGE = "/"
UNMATCHED = "unmatched"
QUIET_ROUTES = frozenset({"getLiveness", "getReadiness", "getMetrics"})


class Boundary:
    """ASGI middleware around the whole app.

    Args:
        app: What it is around.
        metrics: Where requests are counted.
        max_body_bytes: Longest body.
        admin_port: The port for /admin alone, if it has one.
    """

    def __init__(
        self, app: ASGIApp, *, metrics: Metrics, max_body_bytes: int, admin_port: int | None
    ) -> None:
        self._app = app
        self._admin_port = admin_port
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = time.monotonic()
        headers = Headers(scope=scope)
        state = scope.setdefault("state", {})
        request_id = _request_id(headers.get("x-request-id"))
        state["request_id"] = request_id
        status = CLIENT_CLOSED_REQUEST

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answer_headers = MutableHeaders(scope=message)
                answer_headers["x-request-id"] = request_id
                answer_headers["x-content-type-options"] = "nosniff"
            await send(message)

        try:
            refusal = self._misplaced(scope) or self._refusal(headers)
            if refusal is not None:
                await response_of(refusal, state)(scope, receive, send_with_id)
            else:
                limited = _limited(receive, self._max_body_bytes)
                await self._app(scope, limited, send_with_id)
        finally:
            self._finish(scope, status, time.monotonic() - started_s)

    def _misplaced(self, scope: Scope) -> HTTPException | None:
        """Inference and administration do not exist on each other's port, if each has its own."""
        path: str = scope["path"]
        if self._admin_port is None or path == PAGE or path.startswith(ON_BOTH_PORTS):
            return None
        on_admin_port = (scope.get("server") or ("", None))[1] == self._admin_port
        if path.startswith(ADMIN) == on_admin_port:
            return None
        return unknown_path(scope["method"], path)

    def _refusal(self, headers: Headers) -> ServiceError | None:
        """What can be said from the headers alone."""
        if headers.get("content-encoding", "identity").lower() != "identity":
            return UnsupportedEncoding(
                f"Content-Encoding {headers['content-encoding'][:40]!r} is not taken; expected a "
                "body without compression."
            )
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length[:20]) > self._max_body_bytes:
            return _too_large(self._max_body_bytes)
        return None

    def _finish(self, scope: Scope, status: int, seconds: float) -> None:
        state = scope["state"]
        grant: Grant | None = state.get("grant")
        if grant is not None:
            grant.leave()
        if state.get("client_gone"):
            status = CLIENT_CLOSED_REQUEST
        route = getattr(scope.get("route"), "operation_id", None) or UNMATCHED
        served: Served = state.get("served", (NONE, NONE))
        self._metrics.answered(route, status, served)
        if "reason" in state:
            self._metrics.refused(state.get("asked", NONE), state["reason"])
        say: Callable[..., None] = log.debug if route in QUIET_ROUTES else log.info
        say(
            "request",
            request_id=state["request_id"],
            key=state.get("key"),
            route=route,
            status=int(status),
            seconds=round(seconds, 4),
            **state.get("log", {}),
        )


def _request_id(given: str | None) -> str:
    """The client's id if it is harmless in headers and logs, else one of our own."""
    if given is not None and REQUEST_ID.fullmatch(given):
        return given
    return uuid.uuid4().hex


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The body is larger than {max_bytes} bytes, the most this server takes. Send less, or "
        "raise max_body_bytes."
    )


def _limited(receive: Receive, max_bytes: int) -> Receive:
    """Count the body as it comes in, and end the wait for one that does not come."""
    seen_bytes = 0
    complete = False

    async def limited() -> Message:
        nonlocal seen_bytes, complete
        if complete:
            return await receive()
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                message = await receive()
        except TimeoutError as error:
            raise _passed_through(
                BodyTooSlow(f"The body did not arrive within {BODY_TIMEOUT_S:g} s.")
            ) from error
        seen_bytes += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if seen_bytes > max_bytes:
            raise _passed_through(_too_large(max_bytes))
        return message

    return limited


def _passed_through(error: ServiceError) -> HTTPException:
    """FastAPI turns whatever fails while it reads a body into 400, HTTPException excepted."""
    status, problem, headers = describe(error)
    return HTTPException(status, problem.message, dict(headers))
