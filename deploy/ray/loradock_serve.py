"""The service on Ray Serve: replicas of the same app, and an ingress that keeps an adapter on its replica.

`serve run deploy/ray/serve.yaml`. Knows neither routes nor adapters: the ingress reads `model` from a
body, Ray's router prefers a replica that has answered for that adapter, and hands the request to its app.
"""

import asyncio
import contextlib
import importlib
import os
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

from passing import CUT, adapter_of, portable, read, say_unavailable, sends_events
from pydantic import BaseModel, ConfigDict
from ray import serve
from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle
from starlette.types import Message, Receive, Scope, Send

from adapters.layout import default_root
from basemodels import resolve
from configuration import load
from service import logs
from service.app import create_app
from service.checking import Checker
from service.preflight import open_store
from service.settings import Settings

# Adapters that a replica is asked for first. Ray forgets the longest unused beyond it, no more than that:
# which versions are in the engine is the business of the service.
MAX_ADAPTERS_PER_REPLICA = 64
MAX_ATTEMPTS = 4
PAUSE_S = 0.25
GONE: tuple[type[Exception], ...] = (RayActorError, DeploymentUnavailableError, BackPressureError)
READY_POLL_S = 0.05
FIRST_ERROR = 400

Request = dict[str, Any]


class Chosen(BaseModel):
    """What `args` of serve.yaml may say; everything else is a setting of the service, LORADOCK_*.

    Attributes:
        engine: Module and function that make the engine.
    """

    model_config = ConfigDict(extra="forbid")

    engine: str = "service.cli:make_vllm"


@serve.deployment
class Replica:
    """One engine with its app, on the store that all of them share."""

    async def __init__(self, engine: str) -> None:
        settings = load(Settings, [], prog="ray", file_flag="--config", env_prefix="LORADOCK_")
        base_dir = resolve(settings.base)
        store = open_store(settings.store or default_root())
        logs.configure()
        module, _, name = engine.partition(":")
        made, max_lora_rank = getattr(importlib.import_module(module), name)(settings, base_dir)
        self._app = create_app(
            settings, made, store, admit=Checker(store, base_dir, max_lora_rank).admit
        )
        self._name = f"{socket.gethostname()}:{os.getpid()}".encode()
        self._life = contextlib.AsyncExitStack()
        await self._life.enter_async_context(self._app.router.lifespan_context(self._app))
        await self._until_serving()

    async def _until_serving(self) -> None:
        lifecycle = self._app.state.parts.lifecycle
        while lifecycle.reasons():
            await self.check_health()
            await asyncio.sleep(READY_POLL_S)

    async def __del__(self) -> None:
        """Ray waits for it; the engine's processes end here."""
        await self._life.aclose()

    async def check_health(self) -> None:
        """Ray starts another replica where this one cannot serve for good."""
        failure = self._app.state.parts.lifecycle.failure
        if failure is not None:
            raise failure

    @serve.multiplexed(max_num_models_per_replica=MAX_ADAPTERS_PER_REPLICA)
    async def keep(self, adapter: str) -> str:
        """Tell the router that this replica is the one for an adapter."""
        return adapter

    async def answer(self, request: Request) -> AsyncIterator[Message]:
        """The app's answer, message by message as it gives them."""
        messages: asyncio.Queue[Message | None] = asyncio.Queue()
        left = asyncio.Event()
        bodies = [{"type": "http.request", "body": request["body"], "more_body": False}]

        async def receive() -> Message:
            if bodies:
                return bodies.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        task = asyncio.create_task(self._app(request["scope"], receive, messages.put))
        task.add_done_callback(lambda _: messages.put_nowait(None))
        try:
            while (message := await messages.get()) is not None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], (b"x-replica", self._name)]
                    await self._keep_if_served(message["status"])
                yield message
        finally:
            left.set()
            await task

    async def _keep_if_served(self, status: int) -> None:
        adapter = serve.get_multiplexed_model_id()
        if adapter and status < FIRST_ERROR:
            await self.keep(adapter)


@serve.deployment
@serve.ingress()
class Ingress:
    """Hands each request to a replica, and to another one if that has gone."""

    def __init__(self, replicas: DeploymentHandle, max_body_bytes: int) -> None:
        self._replicas = replicas
        self._max_body_bytes = max_body_bytes

    def __serve_build_asgi_app__(self) -> Callable[..., Any]:
        """What Ray calls to have something that answers HTTP."""

        # A function: uvicorn takes a bound method for an app of another kind.
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await self._answer(scope, receive, send)

        return app

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await read(receive, self._max_body_bytes)
        request = {"scope": portable(scope), "body": body}
        # As behind nginx: what may have changed something is not done twice.
        attempts = MAX_ATTEMPTS if scope["path"].startswith("/v1/") else 1
        for attempt in range(1, attempts + 1):
            try:
                await self._pass_on(request, send)
            except GONE:
                if attempt == attempts:
                    await say_unavailable(send)
                    return
                await asyncio.sleep(PAUSE_S)
            else:
                return

    async def _pass_on(self, request: Request, send: Send) -> None:
        handle = self._replicas.options(
            method_name="answer",
            stream=True,
            multiplexed_model_id=adapter_of(request["body"]),
        )
        answer = handle.remote(request)
        begun = is_stream = False
        try:
            async for message in answer:
                begun = True
                is_stream = is_stream or sends_events(message)
                await send(message)
        except GONE:
            if not begun:
                raise
            # Clients take a stream without an error as complete.
            if is_stream:
                await send({"type": "http.response.body", "body": CUT, "more_body": False})
        finally:
            answer.cancel()


def build(args: Chosen) -> serve.Application:
    """What serve.yaml names."""
    settings = load(Settings, [], prog="ray", file_flag="--config", env_prefix="LORADOCK_")
    return Ingress.bind(Replica.bind(args.engine), settings.max_body_bytes)
