"""Services in which all is well, and services in which everything that has an alert goes wrong.

The app, its metrics and its sockets are real; the engine is the fake one with its faults.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from service.engine.fake import FakeEngine, Faults
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, listening, until

TOKEN_S = 0.004
PATIENCE_S = 120.0
STREAM = {"prompt": "Hello", "stream": True}


def make_store(root: Path, stable: int = 1) -> MemoryStore:
    """alpha with four versions and beta with two."""
    root.mkdir()
    store = MemoryStore(root)
    for name, count in (("alpha", 4), ("beta", 2)):
        for number in range(1, count + 1):
            store.add(name, number, probes=[])
        store.set_alias(name, "stable", stable, expected=None, who="test", why="start")
    return store


def address(app: Running) -> str:
    return app.client.base_url.netloc.decode()


async def ask(app: Running, model: str) -> int:
    """One stream to its end; the status."""
    body = {"model": model, **STREAM}
    answer = await app.client.post("/v1/completions", json=body, timeout=PATIENCE_S)
    return answer.status_code


async def leave(app: Running, model: str) -> None:
    """Begin to read a stream and go."""
    body = {"model": model, **STREAM}
    async with app.client.stream("POST", "/v1/completions", json=body) as response:
        async for _ in response.aiter_lines():
            return


@contextlib.asynccontextmanager
async def busy(apps: list[Running], promote_every_s: float) -> AsyncIterator[None]:
    """Requests to the base and both adapters, a promote now and then, one canary."""
    over = asyncio.Event()
    tasks = [asyncio.create_task(_promote_on(apps[0], over, promote_every_s))]
    for app, model in itertools.product(apps, ("alpha", "beta", "beta@2", "fake-base")):
        tasks.append(asyncio.create_task(_ask_on(app, model, over)))
    canary = {"version": 2, "percent": 30.0}
    answer = await apps[0].client.post("/admin/adapters/beta/canaries", json=canary)
    answer.raise_for_status()
    try:
        yield
    finally:
        over.set()
        await asyncio.gather(*tasks)


async def _ask_on(app: Running, model: str, over: asyncio.Event) -> None:
    while not over.is_set():
        assert await ask(app, model) == 200
        await asyncio.sleep(0.2)


async def _promote_on(app: Running, over: asyncio.Event, every_s: float) -> None:
    for version in itertools.cycle((2, 1)):
        (await app.promote("alpha", version)).raise_for_status()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(every_s):
                await over.wait()
                return


@contextlib.asynccontextmanager
async def well(root: Path, promote_every_s: float = 2.0) -> AsyncIterator[list[Running]]:
    """Two replicas on one store, under load."""
    store = make_store(root / "store")
    async with contextlib.AsyncExitStack() as stack:
        engines = [FakeEngine(faults=Faults(token_delay_s=TOKEN_S)) for _ in range(2)]
        apps = [await stack.enter_async_context(listening(engine, store)) for engine in engines]
        await stack.enter_async_context(busy(apps, promote_every_s))
        yield apps


class Troubled:
    """Four services, one for each kind of trouble, and an address at which there is none."""

    def __init__(self, root: Path, stack: contextlib.AsyncExitStack) -> None:
        self._root = root
        self._stack = stack
        self._background: list[asyncio.Future[object]] = []
        self.engines: dict[str, FakeEngine] = {}
        self.stores: dict[str, MemoryStore] = {}
        self.apps: dict[str, Running] = {}

    async def start(self) -> None:
        """The services, with requests waiting at the slow one before anybody looks."""
        await self._add("ill")
        await self._add("slow", {"max_in_flight_requests": 1, "queue_timeout_s": 600})
        await self._add("dying")
        await self._add("full", {"max_docked_versions": 2}, stable=2)
        self.engines["ill"].faults.cache_full = True
        self.engines["slow"].faults.token_delay_s = 1.7
        await self._crowd()

    async def _add(
        self, name: str, settings: Mapping[str, object] | None = None, stable: int = 1
    ) -> None:
        self.stores[name] = make_store(self._root / name, stable)
        self.engines[name] = FakeEngine()
        started = listening(self.engines[name], self.stores[name], settings)
        self.apps[name] = await self._stack.enter_async_context(started)

    async def _crowd(self) -> None:
        """Streams of three slow tokens, one after another; from the second on they wait for long."""
        app = self.apps["slow"]
        body = {"model": "alpha", "max_tokens": 3, **STREAM}
        for _ in range(8):
            asking = app.client.post("/v1/completions", json=body, timeout=PATIENCE_S)
            self._background.append(asyncio.ensure_future(asking))
        await until(lambda: app.parts.admission.queued >= 7)

    async def go_wrong(self) -> None:
        """All that needs to be seen happening."""
        await asyncio.gather(self._fail(), self._die(), self._churn())

    async def _fail(self) -> None:
        app, faults = self.apps["ill"], self.engines["ill"].faults
        faults.failing_docks |= {"alpha@3", "alpha@4"}
        assert await ask(app, "alpha@4") == 503
        assert (await app.promote("alpha", 3)).status_code == 409
        faults.overloaded = True
        for _ in range(60):
            assert await ask(app, "alpha") == 503
            await asyncio.sleep(0.02)
        self.stores["ill"].readable = False
        app.parts.lifecycle.stopping.set()

    async def _die(self) -> None:
        app, engine = self.apps["dying"], self.engines["dying"]
        engine.faults.token_delay_s = 0.2
        for _ in range(6):
            await leave(app, "alpha")
        for _ in range(4):
            engine.kill()
            await asyncio.sleep(0.3)
            await until(lambda: not app.parts.lifecycle.reasons())
        engine.faults.start_fails = True
        engine.kill()

    async def _churn(self) -> None:
        for _ in range(30):
            for version in (1, 2, 3):
                assert await ask(self.apps["full"], f"alpha@{version}") == 200
                # Over several scrapes, however fast the machine is.
                await asyncio.sleep(0.03)

    async def end(self) -> None:
        """Nobody waits for the slow one."""
        self.engines["slow"].kill()
        await asyncio.gather(*self._background, return_exceptions=True)


@contextlib.asynccontextmanager
async def troubled(root: Path) -> AsyncIterator[Troubled]:
    """See `Troubled`; what goes wrong by and by begins with `go_wrong`."""
    async with contextlib.AsyncExitStack() as stack:
        all_of_them = Troubled(root, stack)
        await all_of_them.start()
        try:
            yield all_of_them
        finally:
            await all_of_them.end()
