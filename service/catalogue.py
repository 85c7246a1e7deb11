"""What the store holds, as last read: names, versions, and where the store's aliases point.

Reading is blocking and happens in a thread; what is read is a value that the event loop swaps
in whole. Which version an alias *serves* is the reconciler's knowledge, not the store's.
"""

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from adapters.errors import AdapterError, StoreDamaged
from adapters.store import Store, Version
from service.berths import Key

V = TypeVar("V")


def _nothing() -> MappingProxyType[str, V]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Entry:
    """One adapter in the store.

    Attributes:
        stamp: Changes with every change of its versions and aliases.
        unreadable: Versions that could not be read, with the reason.
    """

    versions: Mapping[int, Version]
    aliases: Mapping[str, int]
    stamp: tuple[int, ...]
    unreadable: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(frozen=True)
class Reading:
    """The store at one moment.

    Attributes:
        unreadable: Names that could not be read, with the reason; their last entry stands.
        read_at_s: When reading began, on the monotonic clock.
    """

    entries: Mapping[str, Entry] = field(default_factory=_nothing)
    unreadable: Mapping[str, str] = field(default_factory=_nothing)
    read_at_s: float = -math.inf


class Catalogue:
    """The last good reading of a store; what has not changed since is not read again."""

    def __init__(self, store: Store) -> None:
        self._store = store
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

    def _read(self) -> Reading:
        read_at_s = time.monotonic()
        before = self.reading.entries
        if before and not self._store.root.is_dir():
            # An unmounted disk is not an empty store.
            raise StoreDamaged(f"{self._store.root} is gone, expected the store that was there.")
        entries: dict[str, Entry] = {}
        unreadable: dict[str, str] = {}
        for name in self._store.names():
            try:
                entries[name] = self._entry(name, before.get(name))
            except (AdapterError, OSError) as error:
                unreadable[name] = str(error)
                if name in before:
                    entries[name] = before[name]
        return Reading(entries, unreadable, read_at_s)

    def _entry(self, name: str, before: Entry | None) -> Entry:
        state = self._store.home(name).state.stat()
        # The file is replaced whole, so a change shows in its inode, size or time.
        stamp = (state.st_ino, state.st_size, state.st_mtime_ns)
        if before is not None and before.stamp == stamp and not before.unreadable:
            return before
        aliases = self._store.aliases(name)
        versions: dict[int, Version] = {}
        unreadable: dict[str, str] = {}
        for number in self._store.versions(name):
            known = before.versions.get(number) if before else None
            try:
                versions[number] = known or self._store.version(name, number)
            except (AdapterError, OSError) as error:
                unreadable[str(Key(name, number))] = str(error)
        return Entry(versions, aliases, stamp, unreadable)
