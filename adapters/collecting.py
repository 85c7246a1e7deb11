"""gc: which versions nobody needs any more, and removing them and what dead writers left.

A version stays while an alias points or recently pointed at it, a live process holds it, or it
is young.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters import aliases, disk, holds, records, staging
from adapters.store import Store

KEEP_TARGETS = 3
MIN_AGE_S = 7 * 24 * 3600.0
LEASE_S = 3600.0


@dataclass(frozen=True)
class Policy:
    """What gc leaves alone.

    Attributes:
        keep_targets: So many of the last targets of every alias.
        min_age_s: Versions younger than this, in seconds.
        lease_s: Leftovers of writers younger than this, in seconds.
    """

    keep_targets: int = KEEP_TARGETS
    min_age_s: float = MIN_AGE_S
    lease_s: float = LEASE_S


@dataclass(frozen=True)
class Verdict:
    """What becomes of one version.

    Attributes:
        version: `name@3`.
        remove: Whether it goes.
        why: The reason, for people.
        size_bytes: What its directory takes.
    """

    version: str
    remove: bool
    why: str
    size_bytes: int


@dataclass(frozen=True)
class Collection:
    """What gc did, or would do.

    Attributes:
        verdicts: One per version.
        leftovers: Paths that dead writers left.
    """

    verdicts: list[Verdict] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)


def collect(store: Store, name: str, policy: Policy, *, dry_run: bool) -> Collection:
    """Remove what nobody needs of one adapter.

    Raises:
        InvalidReference: The name is not well-formed.
        StoreDamaged: The records cannot be read; nothing was removed.
        VersionDamaged: A version is not what was published; nothing was removed.
        StoreWriteFailed: The disk refused; what is listed as a version is whole.
        StoreBusy: A writer held the lock too long.
    """
    home = store.home(name)
    if not home.path.is_dir():
        return Collection()
    with disk.reported(f"Collecting {name}"):
        with store.locked(name):
            verdicts = _judge(store, name, policy)
            doomed = [int(verdict.version.split("@")[1]) for verdict in verdicts if verdict.remove]
            # The sweep looks first, so that what goes now is removed below and not listed twice.
            found = staging.leftovers(home, policy.lease_s)
            removed = [] if dry_run else [_take_out(store, name, number) for number in doomed]
        if not dry_run:
            staging.sweep([*removed, *found])
    return Collection(verdicts, [str(path) for path in found])


def _judge(store: Store, name: str, policy: Policy) -> list[Verdict]:
    home = store.home(name)
    reasons = {number: f"held by {', '.join(who)}" for number, who in holds.live(home).items()}
    for alias, targets in aliases.recent(aliases.history(home), policy.keep_targets).items():
        for number in targets:
            reasons.setdefault(number, f"one of the last targets of {alias}")
    for alias, number in records.load(home).aliases.items():
        reasons[number] = f"{alias} points at it"
    oldest = datetime.now(UTC) - timedelta(seconds=policy.min_age_s)
    verdicts = []
    for version in store.all_versions(name):
        number = version.number
        if version.manifest.created > oldest:
            reasons.setdefault(number, f"published {version.manifest.created:%Y-%m-%d}, too young")
        files = version.manifest.files.values()
        verdicts.append(
            Verdict(
                version=str(version),
                remove=number not in reasons,
                why=reasons.get(number, "no alias needs it and nobody holds it"),
                size_bytes=sum(file.size_bytes for file in files),
            )
        )
    return verdicts


def _take_out(store: Store, name: str, number: int) -> Path:
    """One rename ends the version; the state follows."""
    home = store.home(name)
    gone = staging.take_away(home, home.version(number))
    state = records.load(home)
    del state.manifests[number]
    records.save(home, state)
    return gone
