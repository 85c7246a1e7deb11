"""Start the app in a test: within the process, or on a real socket of its own."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import cast

import httpx
import uvicorn
from fastapi import FastAPI

from adapters.store import Store, Version
from service.app import create_app
from service.checking import LetGo
from service.engine.fake import FakeEngine
from service.malformed import Http
from service.parts import Parts
from service.server import KEEP_ALIVE_S
from service.settings import Settings
from service.tracing import Traced, Tracing
from tests.service.memory_store import MemoryStore

WAIT_S = 10.0


async def admit_all(version: Version) -> LetGo:
    """For stores whose versions have no files."""
    return lambda: None


@dataclass
class Running:
    """An app that is up."""

    client: httpx.AsyncClient
    parts: Parts
    app: FastAPI

    async def chat(self, model: str, text: str = "Hello", **fields: object) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
        return await self.client.post("/v1/chat/completions", json=body)

    async def complete(self, model: str, text: str = "Hello", **fields: object) -> httpx.Response:
        return await self.client.post(
            "/v1/completions", json={"model": model, "prompt": text, **fields}
        )

    async def promote(self, name: str, version: int, alias: str = "stable") -> httpx.Response:
        return await self.client.post(
            f"/admin/adapters/{name}/promote", json={"version": version, "alias": alias}
        )

    async def metrics(self) -> str:
        return (await self.client.get("/metrics")).text


def make_app(
    engine: FakeEngine,
    store: MemoryStore | Store,
    settings: Mapping[str, object] | None = None,
    admit: Callable[[Version], Awaitable[LetGo]] = admit_all,
    admin_port: int | None = None,
    tracing: Tracing | None = None,
) -> FastAPI:
    values = {"store_poll_s": 0.02, "dock_timeout_s": 2.0, **(settings or {})}
    app = create_app(
        Settings.model_validate(values),
        engine,
        cast(Store, store),
        admit=admit,
        admin_port=admin_port,
    )
    if tracing is not None:
        app.add_middleware(Traced, tracing=tracing)
    return app


async def until(condition: Callable[[], object], timeout_s: float = WAIT_S) -> None:
    """Wait for a condition that something in the background brings about."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "waited in vain"
        await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def running(
    engine: FakeEngine,
    store: MemoryStore | Store,
    settings: Mapping[str, object] | None = None,
    *,
    wait: bool = True,
    admit: Callable[[Version], Awaitable[LetGo]] = admit_all,
    admin_port: int | None = None,
    tracing: Tracing | None = None,
) -> AsyncIterator[Running]:
    """The app, in this process and without a socket."""
    app = make_app(engine, store, settings, admit, admin_port, tracing)
    parts: Parts = app.state.parts
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        if wait:
            await until(lambda: not parts.lifecycle.reasons())
        yield Running(client, parts, app)


@contextlib.asynccontextmanager
async def listening(
    engine: FakeEngine,
    store: MemoryStore,
    settings: Mapping[str, object] | None = None,
    *,
    wait: bool = True,
    admin_port: int | None = None,
    tracing: Tracing | None = None,
) -> AsyncIterator[Running]:
    """The app on a socket of its own, for what only real connections show."""
    app = make_app(engine, store, settings, admin_port=admin_port, tracing=tracing)
    parts: Parts = app.state.parts
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            log_config=None,
            ws="none",
            http=Http,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=2,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        async with httpx.AsyncClient(base_url=url, timeout=WAIT_S) as client:
            await until(lambda: server.started and not (wait and parts.lifecycle.reasons()))
            try:
                yield Running(client, parts, app)
            finally:
                server.should_exit = True
                await serving
