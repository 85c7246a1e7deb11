"""What a person asks for besides moving aliases: load, unload, pin, split. All of it, or nothing.

A version is docked and has answered its probes before the file of pins and canaries names it.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

from adapters.errors import AdapterError
from adapters.store import Store
from service import traffic
from service.berths import Key
from service.docking import Docks
from service.errors import AdapterUnavailable, ChangeRefused, TrafficUnreadable
from service.reconciler import Reconciler
from service.traffic import AdapterTraffic, Canary


class Changes:
    """Changes the traffic file and what is docked."""

    def __init__(self, store: Store, docks: Docks, reconciler: Reconciler) -> None:
        self._store = store
        self._docks = docks
        self._reconciler = reconciler

    async def load(self, name: str, number: int) -> None:
        """Dock a version now, before anybody asks for it.

        Raises:
            UnknownModel: There is no such version.
            ChangeRefused: It is not fit, or there is no room.
        """
        version = await self._reconciler.find_again(f"{name}@{number}")
        self._docks.failures.pop(Key(name, number), None)
        try:
            async with self._docks.lease(version):
                pass
        except AdapterUnavailable as error:
            raise ChangeRefused(f"{version} was not loaded: {error}") from error

    async def unload(self, name: str, number: int) -> None:
        """Let a version go once its requests have ended; the next one for it docks it again.

        Raises:
            UnknownModel: There is no such version.
            ChangeRefused: It is to stay docked.
        """
        key = Key(name, number)
        await self._reconciler.find_again(str(key))
        serving = self._reconciler.serving.get(name, {})
        aliases = [alias for alias, served in serving.items() if served == number]
        if aliases:
            raise ChangeRefused(
                f"{key} was not unloaded: {', '.join(aliases)} serves it. Promote another version "
                "first, which unloads this one."
            )
        if key in self._docks.kept:
            raise ChangeRefused(
                f"{key} was not unloaded: it is pinned, or a canary. Unpin it or end the canary."
            )
        self._docks.drain(key)

    async def pin(self, name: str, number: int) -> None:
        """Keep a version docked, here and in every server on the store.

        Raises:
            UnknownModel: There is no such version.
            ChangeRefused: It is not fit, or too many are kept already.
        """
        key = Key(name, number)
        await self.load(name, number)

        def pinned(of: AdapterTraffic) -> AdapterTraffic:
            return of.model_copy(update={"pins": tuple(sorted({*of.pins, number}))})

        await self._change(name, pinned, f"{key} was not pinned")

    async def unpin(self, name: str, number: int) -> None:
        """Let a pinned version be unloaded like any other.

        Raises:
            ChangeRefused: The file cannot be changed.
        """

        def unpinned(of: AdapterTraffic) -> AdapterTraffic:
            return of.model_copy(update={"pins": tuple(n for n in of.pins if n != number)})

        await self._change(name, unpinned, f"{name}@{number} was not unpinned")

    async def start_canary(
        self, name: str, alias: str, number: int, *, percent: float, why: str
    ) -> None:
        """Give a version a share of an alias's requests, until the alias moves.

        Raises:
            UnknownModel: There is no such version or alias.
            ChangeRefused: It is not fit, is the alias's own, or too many are kept already.
        """
        subject = f"{name}@{alias}"
        stable = await self._reconciler.find_again(subject)
        if stable.number == number:
            raise ChangeRefused(
                f"{subject} serves version {number} already; a canary is another one. Name it."
            )
        await self.load(name, number)
        canary = Canary(
            version=number,
            percent=percent,
            against=stable.number,
            started=datetime.now(UTC),
            why=why,
        )

        def started(of: AdapterTraffic) -> AdapterTraffic:
            if self._store.aliases(name).get(alias) != stable.number:
                raise ChangeRefused(
                    f"Somebody moved {subject} meanwhile. Look at what it serves and ask again."
                )
            return of.model_copy(update={"canaries": {**of.canaries, alias: canary}})

        await self._change(name, started, f"the canary of {subject} was not started")

    async def end_canary(self, name: str, alias: str) -> None:
        """Give all requests back to the alias's own version.

        Raises:
            ChangeRefused: There is no canary, or the file cannot be changed.
        """
        subject = f"{name}@{alias}"

        def ended(of: AdapterTraffic) -> AdapterTraffic:
            if alias not in of.canaries:
                raise ChangeRefused(f"{subject} has no canary, so there is none to end.")
            return traffic.without(of, alias)

        await self._change(name, ended, f"the canary of {subject} was not ended")

    async def _change(
        self, name: str, changed: Callable[[AdapterTraffic], AdapterTraffic], failure: str
    ) -> None:
        try:
            await asyncio.to_thread(
                traffic.change, self._store.root, name, changed, max_kept=self._docks.max_kept
            )
        except (AdapterError, OSError, TrafficUnreadable) as error:
            raise ChangeRefused(f"{failure}: {error}") from error
        await self._reconciler.refresh(since_s=time.monotonic())
