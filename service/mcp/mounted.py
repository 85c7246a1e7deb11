"""The tools over streamable HTTP at `/mcp`, behind the inference key; started by the first request.

`solve` goes through the app's own route, so that it is admitted, leased and counted as any other.
"""

import asyncio
import contextlib
import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import httpx
from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service.engine.protocol import JSON
from service.errors import InvalidKey

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

PATH = "/mcp"
LOCAL_HOSTS = ["127.0.0.1", "127.0.0.1:*", "localhost", "localhost:*", "[::1]", "[::1]:*"]
LOCAL_ORIGINS = ["http://127.0.0.1:*", "http://localhost:*", "http://[::1]:*"]


class McpRoute(Route):
    """A route with a name for the log and the metrics, as those of the API have."""

    operation_id = "mcp"


class McpEndpoint:
    """An ASGI app for one path. Stateless: each POST stands alone, so nothing is kept of a client.

    Args:
        app: The service, whose solve route is asked.
        opens: Whether an `Authorization` header carries the inference key.
        keyed: Whether the service has keys.
    """

    def __init__(self, app: ASGIApp, opens: Callable[[str | None], bool], *, keyed: bool) -> None:
        self._app = app
        self._opens = opens
        self._keyed = keyed
        self._starting = asyncio.Lock()
        self._manager: StreamableHTTPSessionManager | None = None
        self._runner: asyncio.Task[None] | None = None

    def route(self) -> Route:
        """The route to be added to the app."""
        return McpRoute(PATH, endpoint=self, methods=["POST"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one message.

        Raises:
            InvalidKey: It does not carry the inference key.
        """
        if not self._opens(Headers(scope=scope).get("authorization")):
            raise InvalidKey(
                "This needs the inference key, and none or another one was given. Send it as "
                "`Authorization: Bearer KEY`."
            )
        manager = await self._started()
        await manager.handle_request(scope, receive, send)

    async def close(self) -> None:
        """End what runs in the background."""
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)

    async def _started(self) -> "StreamableHTTPSessionManager":
        async with self._starting:
            if self._manager is None:
                # Takes a second, which neither the start of the service nor its loop waits for.
                await asyncio.to_thread(importlib.import_module, "service.mcp.solve_and_run")
                manager = self._make_manager()
                running = asyncio.Event()
                # A task of its own enters and leaves the manager, as its cancel scopes demand.
                self._runner = asyncio.create_task(_run(manager, running))
                await running.wait()
                self._manager = manager
            return self._manager

    def _make_manager(self) -> "StreamableHTTPSessionManager":
        from mcp.server.transport_security import TransportSecuritySettings  # noqa: PLC0415 - slow

        from service.mcp.solve_and_run import make_server  # noqa: PLC0415 - see `_started`

        server = make_server(self._ask)
        # Without keys the service listens on loopback alone; this keeps web pages out of it.
        server.streamable_http_app(
            json_response=True,
            stateless_http=True,
            transport_security=TransportSecuritySettings(
                enable_dns_rebinding_protection=not self._keyed,
                allowed_hosts=LOCAL_HOSTS,
                allowed_origins=LOCAL_ORIGINS,
            ),
        )
        return server.session_manager

    async def _ask(self, body: JSON, headers: Mapping[str, str] | None) -> httpx.Response:
        authorization = (headers or {}).get("authorization")
        passed_on = {} if authorization is None else {"authorization": authorization}
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://loradock") as client:
            return await client.post("/v1/pseudocode/solve", json=body, headers=passed_on)


async def _run(manager: "StreamableHTTPSessionManager", running: asyncio.Event) -> None:
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(manager.run())
        running.set()
        await asyncio.Event().wait()
