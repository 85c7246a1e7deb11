"""Which versions are in the engine, who holds them, and when they may leave.

A request takes a lease on a berth in the same step in which it finds it, so a version with a
reader never leaves. Aliases are not known here: see `service.reconciler`.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from adapters.store import Version
from service.background import Background
from service.berths import Berth, Failure, Key
from service.engine.errors import DockFailed, EngineError
from service.engine.protocol import DockedAdapter, Engine
from service.errors import AdapterUnavailable, DockRefused, EngineUnavailable, NoRoom
from service.events import Events
from service.landing import Landing
from service.metrics import Metrics
from service.turns import Turns

log = structlog.get_logger(__name__)

# A version that failed is not tried again by every request that names it.
RETRY_AFTER_FAILURE_S = 30.0


class Docks:
    """The berths of one engine.

    Args:
        engine: Where versions are docked.
        admit: As `service.landing` takes it.
        probe: Likewise.
        max_versions: Berths there are; the engine must hold as many in memory.
        timeout_s: Longest wait for a free berth.

    Attributes:
        events: What happened here; those who act on versions and aliases note theirs in it too.
    """

    def __init__(
        self,
        engine: Engine,
        metrics: Metrics,
        *,
        admit: Callable[[Version], Awaitable[Callable[[], None]]],
        probe: Callable[[Version, DockedAdapter], Awaitable[None]],
        max_versions: int,
        timeout_s: float,
    ) -> None:
        self._engine = engine
        self._metrics = metrics
        self._landing = Landing(engine, admit, probe)
        self._max_versions = max_versions
        self._timeout_s = timeout_s
        self._turns = Turns(slots=engine.max_slots, berths=max_versions, timeout_s=timeout_s)
        self._next_int_id = itertools.count(1)
        self._background = Background()
        self._waiting = 0
        self._changed = asyncio.Event()
        # One berth stays for all other versions, which share it in turn.
        self.max_kept = max_versions - 1
        self.engine_up = False
        self.events = Events()
        self.berths: dict[Key, Berth] = {}
        self.failures: dict[Key, Failure] = {}

    @property
    def free(self) -> int:
        """Berths that nothing lies at."""
        return self._max_versions - len(self.berths)

    @asynccontextmanager
    async def lease(self, version: Version) -> AsyncIterator[DockedAdapter]:
        """Hold a version, docking it first if need be.

        The lease is counted before the first await, so what the caller has just looked up is
        what it holds.

        Raises:
            EngineUnavailable: The engine is not up, or stopped meanwhile.
            AdapterUnavailable: The version cannot be docked, or found no free berth in time.
        """
        self._require_engine()
        async with self._turns.turn(Key(version.name, version.number)):
            berth = self._find_or_open(version) or await self._wait_for_berth(version)
            try:
                if berth.state == "docking" and berth.arrival is not None:
                    await self._arrived(berth, berth.arrival)
                yield berth.adapter
            finally:
                self._release(berth)

    def _require_engine(self) -> None:
        if not self.engine_up:
            raise EngineUnavailable("The engine is not up; it is starting or restarting.")

    async def _arrived(self, berth: Berth, arrival: "asyncio.Task[None]") -> None:
        """Wait until a version answers, or raise what kept it from doing so."""
        try:
            async with asyncio.timeout(self._timeout_s):
                # Shielded: one waiter that leaves must not take the dock away from the others.
                await asyncio.shield(arrival)
        except TimeoutError as error:
            raise AdapterUnavailable(
                f"Docking {berth.key} takes longer than {self._timeout_s:g} s. Try again later."
            ) from error
        if berth.state == "lost":
            raise EngineUnavailable("The engine stopped; it is being restarted.")

    def _find_or_open(self, version: Version) -> Berth | None:
        """Look-up and increment in one step; `None` when there is no berth to be had now."""
        self._require_engine()
        berth = self.berths.get(Key(version.name, version.number))
        if berth is None and self.free > 0:
            berth = self._open(version)
        if berth is None or berth.state == "leaving":
            return None
        if berth.state == "draining":
            berth.state = "docked"
        self._count(berth, +1)
        return berth

    def _open(self, version: Version) -> Berth:
        key = Key(version.name, version.number)
        if self._failed(key):
            raise AdapterUnavailable(f"{key} is not served: {self.failures[key].reason}")
        adapter = DockedAdapter(
            name=str(key),
            int_id=next(self._next_int_id),
            path=version.path,
            prompt=version.manifest.prompt,
        )
        berth = Berth(key, adapter)
        self.berths[key] = berth
        berth.arrival = self._background.run(self._arrive(berth, version))
        return berth

    def _failed(self, key: Key) -> bool:
        failure = self.failures.get(key)
        return failure is not None and time.monotonic() - failure.at_s < RETRY_AFTER_FAILURE_S

    async def _wait_for_berth(self, version: Version) -> Berth:
        """Send idle versions away, least recently used first, until there is room."""
        key = Key(version.name, version.number)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._timeout_s):
                while (berth := self._find_or_open(version)) is None:
                    self._send_one_away(key)
                    await self._changed.wait()
        except TimeoutError as error:
            raise NoRoom(
                f"{key} is not docked, and none of the {self._max_versions} places in the engine "
                f"became free for {self._timeout_s:g} s. Try again later."
            ) from error
        else:
            return berth
        finally:
            self._waiting -= 1

    def _send_one_away(self, wanted: Key) -> None:
        if wanted in self.berths:
            return
        leaving = sum(berth.state == "leaving" for berth in self.berths.values())
        idle = [
            berth
            for key, berth in self.berths.items()
            if berth.leases == 0 and berth.state == "docked" and key not in self.kept
        ]
        if idle and leaving < self._waiting:
            self._depart(min(idle, key=lambda berth: berth.used_at_s), why="room")

    @property
    def kept(self) -> frozenset[Key]:
        """Versions that stay docked whether or not anybody asks for them."""
        return self._turns.kept

    def missing(self) -> list[Key]:
        """Versions that are to be kept, are not there, and have not failed just now."""
        return [key for key in self.kept if key not in self.berths and not self._failed(key)]

    def keep(self, keys: frozenset[Key]) -> None:
        """Set `kept`, of which there are at most `max_kept`."""
        self._turns.kept = keys

    async def _arrive(self, berth: Berth, version: Version) -> None:
        """Check, load, probe. On any failure the engine and the table are as before."""
        started_s = time.monotonic()
        try:
            await self._landing.bring(berth, version)
        except (DockFailed, DockRefused) as error:
            self._fail(berth, str(error))
            raise DockRefused(f"{berth.key} is not served: {error}") from error
        except EngineError as error:
            self._fail(berth, None)
            raise EngineUnavailable(f"The engine stopped while docking {berth.key}.") from error
        except BaseException:
            self._fail(berth, "docking it was interrupted")
            raise
        seconds = time.monotonic() - started_s
        self._metrics.docked(berth.key.name, "docked", seconds)
        if berth.state == "docking":
            berth.state = "docked"
            self.failures.pop(berth.key, None)
            self._announce()
            self.events.note("docked", str(berth.key), seconds=round(seconds, 3))

    def _fail(self, berth: Berth, reason: str | None) -> None:
        self._metrics.docked(berth.key.name, "failed", None)
        if reason is not None:
            self.failures[berth.key] = Failure(reason, time.monotonic())
            self.events.note("dock_failed", str(berth.key), reason)
        self._forget(berth)

    def _release(self, berth: Berth) -> None:
        self._count(berth, -1)
        if berth.leases == 0:
            if berth.state == "draining":
                self._depart(berth, why="drained")
            self._announce()

    def drain(self, key: Key) -> None:
        """Let a docked version go as soon as nobody holds it."""
        berth = self.berths.get(key)
        if berth is None or berth.state != "docked" or key in self.kept:
            return
        berth.state = "draining"
        if berth.leases == 0:
            self._depart(berth, why="drained")

    def _depart(self, berth: Berth, *, why: str) -> None:
        berth.state = "leaving"
        self._background.run(self._leave(berth, why))

    async def _leave(self, berth: Berth, why: str) -> None:
        try:
            await self._engine.undock(berth.adapter)
        except EngineError as error:
            # A dead engine holds nothing; the supervisor is about to see it.
            log.warning("undock failed", version=str(berth.key), reason=str(error))
        finally:
            self._forget(berth)
        self._metrics.undocked(berth.key.name, why)
        self.events.note("undocked", str(berth.key), why)

    def _forget(self, berth: Berth) -> None:
        if self.berths.get(berth.key) is berth:
            del self.berths[berth.key]
            self._metrics.forget_leases(berth.key.name, berth.key.number)
        self._let_go(berth)
        self._announce()

    def _let_go(self, berth: Berth) -> None:
        """Leave the files of a version to whoever collects them."""
        let_go, berth.let_go = berth.let_go, None
        if let_go is not None:
            self._background.run(asyncio.to_thread(let_go))

    def _announce(self) -> None:
        """Wake those who wait for room; each looks again by itself."""
        if self._waiting:
            self._changed.set()
            self._changed = asyncio.Event()

    def _count(self, berth: Berth, by: int) -> None:
        berth.leases += by
        berth.used_at_s = time.monotonic()
        if self.berths.get(berth.key) is berth:
            self._metrics.set_leases(berth.key.name, berth.key.number, berth.leases)

    def lose_all(self) -> list[Key]:
        """The engine died: nothing is docked any more. Returns what was."""
        self.engine_up = False
        keys = [berth.key for berth in self.berths.values() if berth.state == "docked"]
        for berth in self.berths.values():
            berth.state = "lost"
            self._let_go(berth)
            self._metrics.forget_leases(berth.key.name, berth.key.number)
        self.berths.clear()
        self._announce()
        return keys

    async def settle(self) -> None:
        """Wait until nothing that was begun with a dead engine can reach the next one."""
        await self._background.settle()

    async def close(self) -> None:
        """End what is still docking or leaving, and let go of all files."""
        await self._background.close()
        self.lose_all()
        await self.settle()
