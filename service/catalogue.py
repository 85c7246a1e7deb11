"""What the store holds, as last read: names, versions, and where the store's aliases point.

Reading is blocking and happens in a thread; what is read is a value that the event loop swaps
in whole. Which version an alias *serves* is the reconciler's knowledge, not the store's.
"""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from adapters.errors import AdapterError, StoreDamaged
from adapters.manifest import AliasChange, Evaluation
from adapters.store import Store, Version
from service import traffic
from service.berths import Key
from service.errors import TrafficUnreadable
from service.traffic import Stamp, Traffic

V = TypeVar("V")


def _nothing() -> MappingProxyType[str, V]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Entry:
    """One adapter in the store.

    Attributes:
        unreadable: Versions that could not be read, with the reason.
    """

    versions: Mapping[int, Version]
    aliases: Mapping[str, int]
    unreadable: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(frozen=True)
class Reading:
    """The store at one moment.

    Attributes:
        unreadable: Names that could not be read, with the reason; their last entry stands.
        traffic: Pins and canaries; of the last reading, if they could not be read.
        traffic_problem: Why they could not be read.
        read_at_s: When reading began, on the monotonic clock.
    """

    entries: Mapping[str, Entry] = field(default_factory=_nothing)
    unreadable: Mapping[str, str] = field(default_factory=_nothing)
    traffic: Traffic = field(default_factory=Traffic)
    traffic_stamp: Stamp | None = None
    traffic_problem: str | None = None
    read_at_s: float = -math.inf


@dataclass(frozen=True)
class Records:
    """What the store has noted about one adapter.

    Attributes:
        moves: Of its aliases, oldest first.
        evaluations: By version, oldest first.
        problem: Why some of that is missing.
    """

    moves: list[AliasChange]
    evaluations: dict[int, list[Evaluation]]
    problem: str | None = None


class Catalogue:
    """The last good reading of a store; what has not changed since is not read again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # Of the adapters that were read in full.
        self._stamps: Mapping[str, Stamp | None] = {}
        self.reading = Reading()

    async def refresh(self) -> Reading:
        """Read the store again and keep the result.

        Raises:
            AdapterError: The store itself cannot be read.
            OSError: As above.
        """
        self.reading = await asyncio.to_thread(self._read)
        return self.reading

    def version(self, key: Key) -> Version | None:
        """A version, if the last reading has it."""
        entry = self.reading.entries.get(key.name)
        return entry.versions.get(key.number) if entry else None

    async def records(self, name: str, numbers: Sequence[int]) -> Records:
        """Read how the aliases of an adapter moved and what was measured on its versions."""
        return await asyncio.to_thread(self._records, name, numbers)

    def _records(self, name: str, numbers: Sequence[int]) -> Records:
        moves: list[AliasChange] = []
        evaluations: dict[int, list[Evaluation]] = {}
        try:
            moves = self._store.history(name)
            for number in numbers:
                evaluations[number] = self._store.evaluations(name, number)
        except (AdapterError, OSError) as error:
            return Records(moves, evaluations, str(error))
        return Records(moves, evaluations)

    def _read(self) -> Reading:
        reading = replace(self.reading, read_at_s=time.monotonic())
        before = reading.entries
        if not self._store.root.is_dir():
            if before:
                # An unmounted disk is not an empty store.
                raise StoreDamaged(
                    f"{self._store.root} is gone, expected the store that was there."
                )
            return reading
        stamps = self._store.stamps()
        if before and not stamps:
            # So is the place where it was mounted; nobody removes all adapters at once otherwise.
            raise StoreDamaged(
                f"{self._store.root} is empty, expected the {len(before)} adapter(s) that were "
                "there. Mount it again; start again if it is to be empty."
            )
        if stamps != self._stamps:
            reading = self._read_changed(reading, stamps)
        return self._read_traffic(reading)

    def _read_changed(self, reading: Reading, stamps: Mapping[str, Stamp | None]) -> Reading:
        entries = {name: entry for name, entry in reading.entries.items() if name in stamps}
        unreadable: dict[str, str] = {}
        seen: dict[str, Stamp | None] = {}
        for name, stamp in stamps.items():
            if stamp is not None and self._stamps.get(name) == stamp:
                seen[name] = stamp
                continue
            try:
                entry = self._entry(name, entries.get(name))
            except (AdapterError, OSError) as error:
                unreadable[name] = str(error)
                continue
            # Nothing was published under the name yet, or everything was collected.
            entries.pop(name, None)
            if entry.versions or entry.unreadable:
                entries[name] = entry
            if not entry.unreadable:
                seen[name] = stamp
        # What could not be read is not in it, and so is looked at again next time.
        self._stamps = seen
        return replace(reading, entries=entries, unreadable=unreadable)

    def _entry(self, name: str, before: Entry | None) -> Entry:
        aliases = self._store.aliases(name)
        versions: dict[int, Version] = {}
        unreadable: dict[str, str] = {}
        for number in self._store.versions(name):
            known = before.versions.get(number) if before else None
            try:
                versions[number] = known or self._store.version(name, number)
            except (AdapterError, OSError) as error:
                unreadable[str(Key(name, number))] = str(error)
        return Entry(versions, aliases, unreadable)

    def _read_traffic(self, reading: Reading) -> Reading:
        stamp = traffic.stamp(self._store.root)
        if stamp == reading.traffic_stamp and reading.traffic_problem is None:
            return reading
        try:
            read = traffic.read(self._store.root)
        except TrafficUnreadable as error:
            return replace(reading, traffic_problem=str(error))
        return replace(reading, traffic=read, traffic_stamp=stamp, traffic_problem=None)
