"""Makes what is served match the store: adopt, dock, probe, flip, drain.

The store says where aliases should point; `serving` says where they do. A move happens in one
step under the event loop, after the new version has answered its probes, or not at all.
"""

import asyncio
import time
from collections.abc import Iterable

from adapters.errors import AdapterError
from adapters.store import Store, Version
from service import traffic
from service.background import Background
from service.berths import Key
from service.catalogue import Catalogue, Reading
from service.docking import Docks
from service.errors import AliasMoveRefused, ServiceError, UnknownModel
from service.metrics import Metrics
from service.steering import Steering, over
from service.traffic import Canary

STABLE = "stable"
TRAFFIC = "traffic"
DOCKS_AT_ONCE = 2


class Reconciler:
    """Owns the alias table. Its moves on one adapter never overlap: each holds that name's lock."""

    def __init__(self, store: Store, docks: Docks, metrics: Metrics) -> None:
        self._store = store
        self._docks = docks
        self._metrics = metrics
        self._locks: dict[str, asyncio.Lock] = {}
        self._moved_at_s: dict[str, float] = {}
        self._moving: dict[str, asyncio.Task[None]] = {}
        self._background = Background()
        self._docking: set[Key] = set()
        self._reading = asyncio.Lock()
        self.catalogue = Catalogue(store)
        self.steering = Steering(docks, metrics)
        self._ended: set[Canary] = set()
        self.serving: dict[str, dict[str, int]] = {}
        self.problems: dict[str, str] = {}
        self._told: dict[str, dict[str, int]] | None = None

    def find(self, model: str, sticky: str | None = None) -> Version | None:
        """What `name`, `name@alias` or `name@3` stands for now; no await, so that a lease can follow.

        Args:
            model: As clients name it.
            sticky: Who asks, where that decides between an alias's version and its canary.
        """
        name, at, selector = model.partition("@")
        if selector.isascii() and selector.isdigit():
            # Each version has one name: 01 is none.
            known = len(selector) < 10 and not selector.startswith("0")
            number: int | None = int(selector) if known else None
        else:
            alias = selector if at else STABLE
            number = self.serving.get(name, {}).get(alias)
            if number is not None:
                number = self.steering.pick(name, alias, number, sticky)
        return None if number is None else self.catalogue.version(Key(name, number))

    async def find_again(self, model: str) -> Version:
        """Look into the store itself, where something may have been published since the last poll.

        Raises:
            UnknownModel: There is no such thing.
        """
        await self.refresh(since_s=time.monotonic())
        version = self.find(model)
        if version is None:
            raise UnknownModel(
                f"The model {model[:100]!r} does not exist. Expected the base model, an adapter "
                "(`name`, `name@alias` or `name@3`); GET /v1/models lists them."
            )
        return version

    async def refresh(self, since_s: float) -> list[Key]:
        """Read the store unless somebody has since `since_s`; returns aliases' versions newly seen."""
        async with self._reading:
            if self.catalogue.reading.read_at_s >= since_s:
                return []
            try:
                reading = await self.catalogue.refresh()
            except (AdapterError, OSError) as error:
                self._note("store", f"the store cannot be read: {error}")
                self._metrics.store_readable.set(0)
                return []
            if self.problems.pop("store", None) is not None:
                self._docks.events.note("store_readable", "store")
            self._metrics.store_readable.set(1)
            return self._adopt(reading)

    def _adopt(self, reading: Reading) -> list[Key]:
        """Take in aliases that served nothing yet, and drop those that the store no longer has."""
        new: list[Key] = []
        for name, entry in reading.entries.items():
            if self._moved_at_s.get(name, 0.0) >= reading.read_at_s:
                continue  # the reading is older than our own last move
            serving = self.serving.setdefault(name, {})
            for alias, number in entry.aliases.items():
                if alias not in serving:
                    serving[alias] = number
                    new.append(Key(name, number))
            for alias in serving.keys() - entry.aliases.keys():
                self._drain_if_unnamed(Key(name, serving.pop(alias)))
        for name in self.serving.keys() - reading.entries.keys() - reading.unreadable.keys():
            for number in set(self.serving.pop(name).values()):
                self._docks.drain(Key(name, number))
        new += self._steer()
        self._tell()
        return new

    def _steer(self) -> list[Key]:
        """Follow pins and canaries; returns versions newly to be docked."""
        new = self.steering.follow(self.catalogue.reading, self.serving)
        problem = self.steering.problem
        if problem is None:
            self.problems.pop(TRAFFIC, None)
        elif self.problems.get(TRAFFIC) != problem:
            self.problems[TRAFFIC] = problem
            self._docks.events.note("traffic_unreadable", TRAFFIC, problem)
        return new

    async def _end_canaries(self) -> None:
        """Take canaries out of the file whose alias was moved past this server."""
        for name, alias, canary in over(self.catalogue.reading):
            # Asked once: the store may be read-only, and what is over has no effect anyway.
            if canary not in self._ended:
                self._ended.add(canary)
                await self.end_canary(name, alias)

    async def end_canary(self, name: str, alias: str) -> None:
        """Take a canary that is over out of the file, if that can be changed."""
        try:
            await asyncio.to_thread(
                traffic.change, self._store.root, name, lambda of: traffic.without(of, alias)
            )
        except (AdapterError, OSError, ServiceError) as error:
            self._docks.events.note("traffic_unreadable", f"{name}@{alias}", str(error))

    async def dock(self, keys: Iterable[Key]) -> None:
        """Dock versions ahead of their first request, as far as there is room."""
        gate = asyncio.Semaphore(DOCKS_AT_ONCE)

        async def dock_one(key: Key) -> None:
            version = self.catalogue.version(key)
            async with gate:
                if version is None or (self._docks.free <= 0 and key not in self._docks.kept):
                    return
                try:
                    async with self._docks.lease(version):
                        pass
                except ServiceError as error:
                    self._docks.events.note("not_docked", str(key), str(error))

        await asyncio.gather(*map(dock_one, dict.fromkeys(keys)))

    def aspired(self) -> list[Key]:
        """What is to be docked: what is kept, then what the aliases serve, the stable ones first."""
        pairs = [
            (alias != STABLE, Key(name, number))
            for name, aliases in self.serving.items()
            for alias, number in aliases.items()
        ]
        return [*sorted(self._docks.kept), *(key for _, key in sorted(pairs))]

    async def run(self, poll_s: float) -> None:
        """Follow the store until cancelled."""
        while True:
            await asyncio.sleep(poll_s)
            new = await self.refresh(since_s=time.monotonic())
            await self._end_canaries()
            if self._docks.engine_up:
                self._start_moves()
                self._start_docks([*new, *self._docks.missing()])

    def _start_docks(self, keys: Iterable[Key]) -> None:
        """Dock versions meanwhile; a slow one must not keep the store from being followed."""
        keys = [key for key in keys if key not in self._docking]
        if keys:
            self._docking.update(keys)
            docks = self._background.run(self.dock(keys))
            docks.add_done_callback(lambda _: self._docking.difference_update(keys))

    def _start_moves(self) -> None:
        for name, entry in self.catalogue.reading.entries.items():
            running = self._moving.get(name)
            if entry.aliases != self.serving.get(name) and (running is None or running.done()):
                self._moving[name] = self._background.run(self._follow(name))

    async def _follow(self, name: str) -> None:
        """Move the aliases of one name to where the store has them by now."""
        async with self.lock(name):
            try:
                aliases = await asyncio.to_thread(self._store.aliases, name)
            except (AdapterError, OSError) as error:
                self._note(name, f"its aliases cannot be read: {error}")
                return
            for alias, number in aliases.items():
                if self.serving.get(name, {}).get(alias) != number:
                    await self._try_move(name, alias, number)

    async def _try_move(self, name: str, alias: str, number: int) -> None:
        try:
            async with self._docks.lease(await self.version(Key(name, number))):
                self.serve(name, alias, number)
        except ServiceError as error:
            self._note(f"{name}@{alias}", f"it stays where it was: {error}")

    def serve(self, name: str, alias: str, number: int) -> int | None:
        """The flip: from the next look-up on, the alias means the new version."""
        serving = self.serving.setdefault(name, {})
        previous = serving.get(alias)
        serving[alias] = number
        self._moved_at_s[name] = time.monotonic()
        self.problems.pop(f"{name}@{alias}", None)
        self._metrics.moved(name, "moved")
        self._steer()
        self._tell()
        self._docks.events.note("alias_moved", f"{name}@{alias}", f"from {previous} to {number}")
        if previous is not None:
            self._drain_if_unnamed(Key(name, previous))
        return previous

    def _tell(self) -> None:
        """Bring the metric up to date, which with many adapters is worth doing only on change."""
        if self.serving != self._told:
            self._told = {name: dict(aliases) for name, aliases in self.serving.items()}
            self._metrics.set_aliases(self._told)

    def _drain_if_unnamed(self, key: Key) -> None:
        if key.number not in self.serving.get(key.name, {}).values():
            self._docks.drain(key)

    def refused(self, subject: str, error: Exception) -> AliasMoveRefused:
        """Note why an alias was not moved, and return that as an error."""
        self._note(subject, f"it stays where it was: {error}")
        return AliasMoveRefused(f"{subject} was not moved: {error}")

    async def version(self, key: Key) -> Version:
        """A version by its key.

        Raises:
            UnknownModel: There is none.
        """
        return self.catalogue.version(key) or await self.find_again(str(key))

    def lock(self, name: str) -> asyncio.Lock:
        """Held by whoever moves an alias of this adapter."""
        return self._locks.setdefault(name, asyncio.Lock())

    def _note(self, subject: str, reason: str) -> None:
        """Say a problem once, and keep it for `/admin` until it is solved."""
        if self.problems.get(subject) == reason:
            return
        self.problems[subject] = reason
        if subject == "store":
            self._docks.events.note("store_unreadable", subject, reason)
        else:
            self._metrics.moved(subject.partition("@")[0], "failed")
            self._docks.events.note("alias_kept", subject, reason)

    async def close(self) -> None:
        """End moves and docks under way; the store is whole at any step."""
        await self._background.close()
