"""Aliases: the only thing about an adapter that moves, by compare-and-set, with a history.

The line of history is written first and counts once the state names it.
"""

from datetime import UTC, datetime

from adapters import records
from adapters.errors import AliasConflict, NoPreviousTarget
from adapters.layout import Home
from adapters.manifest import AliasChange


def history(home: Home) -> list[AliasChange]:
    """Every change, oldest first.

    Raises:
        StoreDamaged: The history cannot be read.
    """
    return records.lines(home.history, AliasChange, records.load(home).history_bytes)


def move(home: Home, alias: str, target: int, *, expected: int | None, who: str, why: str) -> None:
    """Point an alias at a version; the caller has the lock and has seen that it exists.

    Raises:
        AliasConflict: The alias does not point at `expected`.
        StoreDamaged: The state cannot be read.
        OSError: The disk refuses; the alias is as it was.
    """
    state = records.load(home)
    old = state.aliases.get(alias)
    if old != expected:
        raise AliasConflict(
            f"{home.name}@{alias} was not moved to {target}: it points at {shown(old)}, expected "
            f"{shown(expected)}. Somebody moved it; look at `history`, then try again if that is "
            "still what you want."
        )
    change = AliasChange(alias=alias, old=old, new=target, when=datetime.now(UTC), who=who, why=why)
    state.history_bytes = records.append(home.history, change, state.history_bytes)
    state.aliases[alias] = target
    records.save(home, state)


def previous(home: Home, alias: str) -> int:
    """Where an alias pointed before its last change.

    Raises:
        NoPreviousTarget: It never pointed elsewhere.
        StoreDamaged: The history cannot be read.
    """
    changes = [change for change in history(home) if change.alias == alias]
    old = changes[-1].old if changes else None
    if old is None:
        raise NoPreviousTarget(
            f"{home.name}@{alias} cannot be rolled back: it points at "
            f"{shown(records.load(home).aliases.get(alias))} and has no earlier target. Expected "
            "one in its history. Promote the version you want instead."
        )
    return old


def recent(changes: list[AliasChange], keep: int) -> dict[str, list[int]]:
    """The last distinct targets of every alias, newest first, at most `keep` of each."""
    targets: dict[str, list[int]] = {}
    for change in reversed(changes):
        found = targets.setdefault(change.alias, [])
        if change.new not in found and len(found) < keep:
            found.append(change.new)
    return targets


def shown(target: int | None) -> str:
    """Where an alias points, in words."""
    return "nothing" if target is None else f"version {target}"
