"""The store: immutable versions, aliases that move, records that grow. Safe with many processes.

What is promised, and where the files lie, is in `docs/adapters.md` and `adapters.layout`.
"""

import contextlib
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue

from adapters import aliases, disk, gate, holds, names, publishing, records, stamps, versions
from adapters.errors import InvalidReference, UnknownAdapter
from adapters.layout import Home
from adapters.manifest import AliasChange, Draft, Evaluation
from adapters.versions import Version

__all__ = ["Store", "Version"]

LOCK_TIMEOUT_S = 30.0
MAX_NOTE_CHARS = 1000


class Store:
    """A directory of adapters.

    Args:
        root: Created when something is first published.
        lock_timeout_s: How long to wait for other writers of the same adapter.
    """

    def __init__(self, root: Path, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        with contextlib.suppress(RuntimeError):
            # `~somebody` who is not known here stays as it is.
            root = root.expanduser()
        self.root = root.resolve()
        self._timeout_s = lock_timeout_s

    def home(self, name: str) -> Home:
        """Where an adapter lies, whether or not it exists.

        Raises:
            InvalidReference: The name is not well-formed.
        """
        return Home(self.root / names.require_name(name))

    def locked(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Keep other writers of an adapter out.

        Raises:
            StoreBusy: One of them held the lock too long.
        """
        return disk.locked(self.home(name).lock, self._timeout_s)

    def names(self) -> list[str]:
        """Every adapter that has a version, in order."""
        return [name for name in self.all_names() if self.home(name).numbers_on_disk()]

    def all_names(self) -> list[str]:
        """Every adapter that ever had something here, in order."""
        if not self.root.is_dir():
            return []
        entries = (entry.name for entry in self.root.iterdir() if entry.is_dir())
        return sorted(name for name in entries if names.PATTERN.fullmatch(name))

    def stamps(self) -> dict[str, tuple[int, ...] | None]:
        """For every adapter, what changes whenever its versions or aliases do; cheap to ask often.

        None stands for one whose state cannot be looked at.

        Raises:
            OSError: The store cannot be listed.
        """
        return stamps.stamps(self.root)

    def versions(self, name: str) -> list[int]:
        """The versions of an adapter, in order; none if there is no such adapter.

        Raises:
            InvalidReference: The name is not well-formed.
            StoreDamaged: The records of the adapter cannot be read.
        """
        home = self.home(name)
        given = records.load(home).manifests
        return [number for number in home.numbers_on_disk() if number in given]

    def version(self, name: str, number: int) -> Version:
        """One version, its manifest checked against what was published.

        The other files are checked by `adapters.gate.check(version.path, base_dir)`.

        Raises:
            UnknownAdapter: There is no such version.
            VersionDamaged: Its manifest is not the one that was published.
            StoreDamaged: The records of the adapter cannot be read.
        """
        version = versions.read(self.home(name), number)
        if version is None:
            raise self._unknown(name, f"{name}@{number}")
        return version

    def all_versions(self, name: str) -> list[Version]:
        """Every version of an adapter, in order.

        Raises:
            InvalidReference: The name is not well-formed.
            VersionDamaged: The manifest of one is not the one that was published.
            StoreDamaged: The records of the adapter cannot be read.
        """
        return versions.read_all(self.home(name))

    def resolve(self, ref: str) -> Version:
        """Find a version by `name` (its `stable`), `name@3` or `name@alias`.

        Raises:
            InvalidReference: The reference is not well-formed.
            UnknownAdapter: It names nothing in this store.
            VersionDamaged: Its manifest is not the one that was published.
            StoreDamaged: The records of the adapter cannot be read.
        """
        name, number, alias = names.parse(ref)
        if alias is not None:
            number = self.aliases(name).get(alias)
        if number is None:
            raise self._unknown(name, ref)
        return self.version(name, number)

    def aliases(self, name: str) -> dict[str, int]:
        """Where each alias of an adapter points.

        Raises:
            InvalidReference: The name is not well-formed.
            StoreDamaged: The records of the adapter cannot be read.
        """
        return dict(records.load(self.home(name)).aliases)

    def history(self, name: str) -> list[AliasChange]:
        """Every change of an alias, oldest first.

        Raises:
            InvalidReference: The name is not well-formed.
            StoreDamaged: The records of the adapter cannot be read.
        """
        return aliases.history(self.home(name))

    def publish(
        self,
        name: str,
        source: Path,
        draft: Draft,
        *,
        base_dir: Path,
        max_rank: int = gate.MAX_RANK,
    ) -> Version:
        """Make the adapter in `source` the next version; it moves no alias.

        Args:
            name: The adapter, new or not.
            source: A directory with the files of an adapter and nothing else (see
                `adapters.layout`); optimizer states and pickles are refused, not skipped.
            draft: What the trainer knows.
            base_dir: The base model it was trained on.
            max_rank: The highest rank that engines accept.

        Raises:
            AdapterRefused: The gate found something; nothing was published.
            InvalidReference: The name is not well-formed.
            StoreWriteFailed: The disk refused; nothing was published.
            StoreBusy: Another writer held the lock too long.
            BaseModelError: The base model cannot be read.
        """
        return publishing.publish(
            self.home(name),
            source,
            draft,
            base_dir=base_dir,
            max_rank=max_rank,
            timeout_s=self._timeout_s,
        )

    def set_alias(
        self, name: str, alias: str, target: int, *, expected: int | None, who: str, why: str
    ) -> None:
        """Point an alias at a version if it points where the caller expects.

        Args:
            name: The adapter.
            alias: `stable`, `candidate` or any other.
            target: The version's number.
            expected: Where it points now; `None` means that it must not exist yet.
            who: Goes into the history.
            why: Goes into the history.

        Raises:
            AliasConflict: It points elsewhere.
            UnknownAdapter: There is no such version.
            VersionDamaged: The version is not what was published.
            InvalidReference: Name, alias, `who` or `why` is not well-formed.
            StoreWriteFailed: The disk refused; the alias is as it was.
            StoreBusy: Another writer held the lock too long.
        """
        home = self.home(name)
        names.require_alias(alias)
        _require_notes(who, why)
        self.version(name, target)
        with disk.reported(f"Moving {name}@{alias}"), self.locked(name):
            self.version(name, target)
            aliases.move(home, alias, target, expected=expected, who=who, why=why)

    def rollback(self, name: str, alias: str, *, who: str, why: str) -> int:
        """Point an alias back to where it pointed before its last change; return that number.

        Raises:
            NoPreviousTarget: It has no earlier target.
            UnknownAdapter: The earlier target is gone, or there is no such adapter.
            VersionDamaged: The earlier target is not what was published.
            InvalidReference: Name, alias, `who` or `why` is not well-formed.
            StoreWriteFailed: The disk refused; the alias is as it was.
            StoreBusy: Another writer held the lock too long.
        """
        home = self.home(name)
        names.require_alias(alias)
        _require_notes(who, why)
        if alias not in self.aliases(name):
            raise self._unknown(name, f"{name}@{alias}")
        with disk.reported(f"Rolling {name}@{alias} back"), self.locked(name):
            current = self.aliases(name).get(alias)
            target = aliases.previous(home, alias)
            self.version(name, target)
            aliases.move(home, alias, target, expected=current, who=who, why=why)
        return target

    def record_evaluation(self, name: str, number: int, results: dict[str, JsonValue]) -> None:
        """Add what was measured on a version; the version itself stays as it is.

        Raises:
            UnknownAdapter: There is no such version.
            VersionDamaged: The version is not what was published.
            StoreWriteFailed: The disk refused; earlier records stand.
            StoreBusy: Another writer held the lock too long.
        """
        home = self.home(name)
        self.version(name, number)
        record = Evaluation(recorded=datetime.now(UTC), results=results)
        with (
            disk.reported(f"Recording an evaluation of {name}@{number}"),
            self.locked(name),
        ):
            self.version(name, number)
            path = home.evaluations(number)
            disk.make_directory(path.parent)
            records.append(path, record)

    def evaluations(self, name: str, number: int) -> list[Evaluation]:
        """What was measured on a version, oldest first.

        Raises:
            StoreDamaged: The records cannot be read.
        """
        return records.lines(self.home(name).evaluations(number), Evaluation)

    def hold(self, name: str, number: int, *, who: str) -> holds.Hold:
        """Keep gc and fsck away from a version until the hold is released or the process ends.

        Raises:
            UnknownAdapter: There is no such version.
            VersionDamaged: The version is not what was published.
            StoreWriteFailed: The disk refused.
            StoreBusy: A writer held the lock too long.
        """
        home = self.home(name)
        self.version(name, number)
        with (
            disk.reported(f"Holding {name}@{number}"),
            self.locked(name),
        ):
            self.version(name, number)
            return holds.take(home, number, who)

    def _unknown(self, name: str, ref: str) -> UnknownAdapter:
        numbers = self.versions(name)
        if not numbers:
            have = f"no adapter {name!r}; there are: {', '.join(self.names()) or 'none yet'}"
        else:
            moving = ", ".join(f"{alias} -> {to}" for alias, to in self.aliases(name).items())
            have = f"of {name} the versions {', '.join(map(str, numbers))}; aliases: {moving or 'none'}"
        return UnknownAdapter(
            f"There is no {ref} in {self.root}. It holds {have}. Name one of these, or publish first."
        )


def _require_notes(who: str, why: str) -> None:
    for label, note in (("who", who), ("why", why)):
        if not 0 < len(note) <= MAX_NOTE_CHARS:
            raise InvalidReference(
                f"{label} has {len(note)} characters, expected 1 to {MAX_NOTE_CHARS}. "
                "Say it in a sentence; it goes into the history."
            )
