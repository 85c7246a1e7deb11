"""Keeps one engine alive: starts it, notices its death, restarts it, and docks again what was.

It gives up after a bounded number of failed restarts, so that whoever runs the process can see it.
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from service.berths import Key
from service.docking import Docks
from service.engine.errors import EngineError
from service.engine.protocol import Engine
from service.lifecycle import Lifecycle
from service.metrics import Metrics
from service.reconciler import Reconciler

log = structlog.get_logger(__name__)

WATCH_INTERVAL_S = 0.1
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0
MAX_FAILED_RESTARTS = 6


class Supervisor:
    """The life of one engine, from the first start to the end of the server."""

    def __init__(
        self,
        engine: Engine,
        docks: Docks,
        reconciler: Reconciler,
        lifecycle: Lifecycle,
        metrics: Metrics,
    ) -> None:
        self._engine = engine
        self._docks = docks
        self._reconciler = reconciler
        self._lifecycle = lifecycle
        self._metrics = metrics

    async def run(self, announce: Callable[[], None]) -> None:
        """Serve until cancelled.

        Args:
            announce: Called each time the server has become ready.

        Raises:
            EngineError: The first start, or too many restarts, failed.
        """
        await self._engine.start()
        await self._reconciler.refresh(since_s=time.monotonic())
        keys = self._reconciler.aspired()
        died_s: float | None = None
        while True:
            if await self._serve_again(keys):
                if died_s is not None:
                    self._back(time.monotonic() - died_s)
                    died_s = None
                announce()
            while self._engine.alive():  # noqa: ASYNC110 - a process that dies sets no event
                await asyncio.sleep(WATCH_INTERVAL_S)
            died_s = died_s or time.monotonic()
            keys = self._lose()
            await self._restart()

    def _back(self, seconds: float) -> None:
        self._metrics.engine_restart_seconds.observe(seconds)
        self._docks.events.note("engine_back", "engine", seconds=round(seconds, 3))

    async def _serve_again(self, keys: list[Key]) -> bool:
        self._docks.engine_up = True
        self._lifecycle.waiting_for = "the adapters to dock"
        await self._reconciler.dock(keys)
        if not self._engine.alive():
            return False
        self._metrics.engine_up.set(1)
        self._lifecycle.waiting_for = None
        return True

    def _lose(self) -> list[Key]:
        self._lifecycle.waiting_for = "the engine to restart"
        self._metrics.engine_up.set(0)
        docked = self._docks.lose_all()
        self._docks.events.note("engine_died", "engine", f"docked: {len(docked)}")
        return docked

    async def _restart(self) -> None:
        backoff_s = FIRST_BACKOFF_S
        for attempt in range(1, MAX_FAILED_RESTARTS + 1):
            self._metrics.engine_restarts.inc()
            try:
                await self._engine.stop()
                await self._docks.settle()
                await self._engine.start()
            except EngineError as error:
                log.exception("engine restart failed", attempt=attempt, backoff_s=backoff_s)
                self._docks.events.note("engine_restart_failed", "engine", str(error))
                if attempt == MAX_FAILED_RESTARTS:
                    raise
                self._lifecycle.waiting_for = f"the engine to restart ({error})"
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, LONGEST_BACKOFF_S)
            else:
                return
