"""Puts the parts together and the routes on top; starts and stops what runs in the background."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from adapters.store import Store, Version
from service.admission import Admission
from service.boundary import Boundary
from service.changes import Changes
from service.checking import LetGo
from service.docking import Docks
from service.engine.errors import EngineError
from service.engine.protocol import Engine
from service.errors import ServiceError
from service.keys import Keys
from service.lifecycle import Lifecycle
from service.mcp.mounted import McpEndpoint
from service.metrics import Metrics
from service.parts import Parts
from service.probing import Prober
from service.problems import answer_error
from service.promotions import Promotions
from service.reconciler import Reconciler
from service.routes import (
    admin,
    chains,
    evolution,
    health,
    inference,
    metrics,
    models,
    page,
    pseudocode,
)
from service.settings import Settings
from service.solving.options import SolvingRules
from service.supervisor import Supervisor

ROUTERS = (
    inference.router,
    pseudocode.router,
    chains.router,
    evolution.router,
    models.router,
    admin.router,
    health.router,
    metrics.router,
    page.router,
)
VERSION = "1"


def create_app(
    settings: Settings,
    engine: Engine,
    store: Store,
    *,
    admit: Callable[[Version], Awaitable[LetGo]],
    announce: Callable[[Parts], None] = lambda _: None,
    admin_port: int | None = None,
) -> FastAPI:
    """Build the app; entering its lifespan starts the engine in the background.

    Args:
        settings: All of them.
        engine: Not started yet.
        store: Where adapters come from.
        admit: Holds versions that are fit and refuses others, as `service.checking` does.
        announce: Called each time the server has become ready.
        admin_port: The port that is for /admin alone, if one is.
    """
    parts = _make_parts(settings, engine, store, admit)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with _background(parts, settings.store_poll_s, announce):
            try:
                yield
            finally:
                await tools.close()

    app = bare_app()
    tools = McpEndpoint(
        app,
        lambda authorization: parts.keys.find(authorization, frozenset({"inference"})) is not None,
        keyed=bool(settings.api_key or settings.key_file),
    )
    app.router.routes.append(tools.route())
    app.router.lifespan_context = lifespan
    app.state.parts = parts
    app.add_middleware(
        Boundary,
        metrics=parts.metrics,
        max_body_bytes=settings.max_body_bytes,
        admin_port=admin_port,
    )
    return app


def bare_app() -> FastAPI:
    """The routes and the error answers, without anything behind them."""
    app = FastAPI(
        title="Loradock",
        version=VERSION,
        description="LoRA adapters on one base model, behind the OpenAI API.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    for router in ROUTERS:
        app.include_router(router)
    for kind in (ServiceError, EngineError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, answer_error)
    return app


def _make_parts(
    settings: Settings,
    engine: Engine,
    store: Store,
    admit: Callable[[Version], Awaitable[LetGo]],
) -> Parts:
    numbers = Metrics()
    docks = Docks(
        engine,
        numbers,
        admit=admit,
        probe=Prober(engine).probe,
        max_versions=settings.max_docked_versions,
        timeout_s=settings.dock_timeout_s,
    )
    reconciler = Reconciler(store, docks, numbers)
    return Parts(
        engine=engine,
        docks=docks,
        reconciler=reconciler,
        promotions=Promotions(store, docks, reconciler),
        changes=Changes(store, docks, reconciler),
        lifecycle=Lifecycle(),
        admission=Admission(
            max_in_flight=settings.max_in_flight_requests,
            max_queued=settings.max_queued_requests,
            queue_timeout_s=settings.queue_timeout_s,
        ),
        metrics=numbers,
        keys=Keys(
            {"inference": settings.api_key, "admin": settings.admin_key},
            settings.key_file,
            docks.events,
        ),
        events=docks.events,
        solving=SolvingRules(
            settings.verifier_adapter, settings.min_agreement, settings.min_verifier_score
        ),
        started_unix_s=int(time.time()),
    )


@contextlib.asynccontextmanager
async def _background(
    parts: Parts, store_poll_s: float, announce: Callable[[Parts], None]
) -> AsyncIterator[None]:
    """Run the engine and follow the store for as long as the block lasts."""
    supervisor = Supervisor(
        parts.engine, parts.docks, parts.reconciler, parts.lifecycle, parts.metrics
    )
    tasks = [
        asyncio.create_task(supervisor.run(lambda: announce(parts))),
        asyncio.create_task(parts.reconciler.run(store_poll_s)),
        asyncio.create_task(parts.keys.follow()),
    ]
    for task in tasks:
        task.add_done_callback(lambda done: _end_with(done, parts.lifecycle))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await parts.reconciler.close()
        await parts.docks.close()
        await parts.engine.stop()


def _end_with(task: "asyncio.Task[None]", lifecycle: Lifecycle) -> None:
    """Without one of its background tasks the server is a shell; better that it ends."""
    if not task.cancelled():
        error = task.exception()
        if error is not None:
            lifecycle.fail(error)
