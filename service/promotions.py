"""Alias moves that a person asked for: promote and rollback, through this server.

The new version is docked and has answered its probes before the store's alias moves, and the
store's alias has moved before ours does. Whatever fails, traffic stays where it was.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from adapters.errors import AdapterError
from adapters.store import Store, Version
from service.berths import Key
from service.docking import Docks
from service.errors import AdapterUnavailable, AliasMoveRefused
from service.reconciler import Reconciler

WHO = "service"

T = TypeVar("T")


@dataclass(frozen=True)
class Move:
    """An alias that moved; `previous` is `None` when it is new."""

    name: str
    alias: str
    version: int
    previous: int | None


class Promotions:
    """Moves aliases in the store and in the reconciler's table together."""

    def __init__(self, store: Store, docks: Docks, reconciler: Reconciler) -> None:
        self._store = store
        self._docks = docks
        self._reconciler = reconciler

    async def promote(self, name: str, number: int, alias: str, why: str) -> Move:
        """Dock and probe a version, move the alias in the store, then flip.

        Raises:
            UnknownModel: There is no such version.
            AliasMoveRefused: The version is not fit, or somebody else moved the alias meanwhile.
            EngineUnavailable: The engine is not up.
        """
        version = await self._reconciler.find_again(f"{name}@{number}")
        async with self._reconciler.lock(name):
            # A person asks: an old failure is no reason not to try.
            self._docks.failures.pop(Key(name, number), None)
            try:
                async with self._docks.lease(version):
                    # Of now: a poll may take in a new alias before we do.
                    previous = self._reconciler.serving.get(name, {}).get(alias)
                    await self._set_alias(version, alias, why)
                    self._reconciler.serve(name, alias, number)
            except AdapterUnavailable as error:
                raise self._reconciler.refused(f"{name}@{alias}", error) from error
        await self._settle(name, alias)
        return Move(name, alias, number, previous)

    async def roll_back(self, name: str, alias: str, why: str) -> Move:
        """Move an alias back to what it served before; docked and probed first, like a promote.

        Raises:
            UnknownModel: There is no such adapter or alias.
            AliasMoveRefused: There is nothing to go back to, or it is not fit any more.
            EngineUnavailable: The engine is not up.
        """

        def rollback() -> int:
            return self._store.rollback(name, alias, who=WHO, why=why)

        version = await self._reconciler.find_again(f"{name}@{alias}")
        async with self._reconciler.lock(name):
            previous = await self._previous(version, alias)
            self._docks.failures.pop(Key(name, previous.number), None)
            try:
                async with self._docks.lease(previous):
                    number = await self._ask_store(f"{name}@{alias}", rollback)
                    if number != previous.number:
                        raise AliasMoveRefused(
                            f"Somebody else moved {name}@{alias} meanwhile; it goes to {number}. "
                            "Look at its history and ask again if that is still what you want."
                        )
                    left = self._reconciler.serve(name, alias, number)
            except AdapterUnavailable as error:
                raise self._reconciler.refused(f"{name}@{alias}", error) from error
        await self._settle(name, alias)
        return Move(name, alias, number, left)

    async def _settle(self, name: str, alias: str) -> None:
        """A decision was made: its canary is over, and what the store says is known here."""
        if alias in self._reconciler.catalogue.reading.traffic.of(name).canaries:
            await self._reconciler.end_canary(name, alias)
        await self._reconciler.refresh(since_s=time.monotonic())

    async def _previous(self, version: Version, alias: str) -> Version:
        """What an alias served before its last change, by the store's history."""
        subject = f"{version.name}@{alias}"
        history = await self._ask_store(subject, lambda: self._store.history(version.name))
        changes = [change for change in history if change.alias == alias]
        number = changes[-1].old if changes else None
        if number is None:
            raise AliasMoveRefused(
                f"{subject} has never pointed elsewhere, so there is nothing to go back to. "
                "Promote the version you want instead."
            )
        return await self._reconciler.version(Key(version.name, number))

    async def _set_alias(self, version: Version, alias: str, why: str) -> None:
        name, number = version.name, version.number
        subject = f"{name}@{alias}"
        aliases = await self._ask_store(subject, lambda: self._store.aliases(name))
        expected = aliases.get(alias)
        if expected == number:
            return

        def set_alias() -> None:
            self._store.set_alias(name, alias, number, expected=expected, who=WHO, why=why)

        await self._ask_store(subject, set_alias)

    async def _ask_store(self, subject: str, ask: Callable[[], T]) -> T:
        """Read or change the store in a thread.

        Raises:
            AliasMoveRefused: The store refuses, or cannot be read or written.
        """
        try:
            return await asyncio.to_thread(ask)
        except (AdapterError, OSError) as error:
            raise self._reconciler.refused(subject, error) from error
