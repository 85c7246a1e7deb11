"""How the requests of an adapter are divided: versions pinned in the engine, and canaries.

Kept in one file at the root of the store, `serving.json`, apart from the adapters' own state.
Replicas on one store all read it, so they agree; and an alias stays one target with one history
for whoever trains, promotes or collects, none of whom need to know how a server splits traffic.
"""

import hashlib
import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters import disk
from service.errors import ChangeRefused, TrafficUnreadable

FILE = "serving.json"
LOCK = ".serving.lock"
MAX_FILE_BYTES = 16 << 20
LOCK_TIMEOUT_S = 10.0
SHARES = 2**64

Stamp = tuple[int, ...]


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Canary(_Kept):
    """A share of an alias's requests for another version.

    Attributes:
        version: The one that is tried.
        percent: Its share.
        against: What the alias pointed at when this began; once that changes, this is over.
    """

    version: int = Field(ge=1)
    percent: float = Field(gt=0, lt=100)
    against: int = Field(ge=1)
    started: datetime
    why: str = Field(max_length=1000)


class AdapterTraffic(_Kept):
    """What concerns one adapter; canaries by alias."""

    pins: tuple[int, ...] = ()
    canaries: dict[str, Canary] = Field(default_factory=dict)


class Traffic(_Kept):
    """The whole file."""

    schema_version: int = Field(default=1, ge=1, le=1)
    adapters: dict[str, AdapterTraffic] = Field(default_factory=dict)

    def of(self, name: str) -> AdapterTraffic:
        """What concerns an adapter, which is nothing for most."""
        return self.adapters.get(name, AdapterTraffic())


def takes_canary(canary: Canary, subject: str, sticky: str | None) -> bool:
    """Whether a request for an alias goes to its canary.

    Args:
        canary: Of that alias.
        subject: The alias as clients name it, so that not the same people try everything.
        sticky: Who asks; the same ones always get the same, on every replica. None: by chance.
    """
    if sticky is None:
        share = random.random()  # noqa: S311 - not a secret
    else:
        text = f"{subject}\0{canary.version}\0{sticky}"
        digest = hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).digest()
        share = int.from_bytes(digest[:8]) / SHARES
    return share * 100 < canary.percent


def stamp(root: Path) -> Stamp | None:
    """Changes whenever the file is replaced; None: there is none."""
    try:
        found = (root / FILE).stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def read(root: Path) -> Traffic:
    """What the file says; nothing, if there is none.

    Raises:
        TrafficUnreadable: It is damaged or cannot be read.
    """
    path = root / FILE
    try:
        return Traffic.model_validate_json(disk.read(path, MAX_FILE_BYTES))
    except FileNotFoundError:
        return Traffic()
    except (OSError, ValidationError) as error:
        raise TrafficUnreadable(
            f"{path} cannot be read: {str(error).splitlines()[0]}. Expected what a server wrote "
            "there. Put a copy back, or remove it, which ends all pins and canaries."
        ) from error


def change(
    root: Path,
    name: str,
    changed: Callable[[AdapterTraffic], AdapterTraffic],
    *,
    max_kept: int | None = None,
) -> None:
    """Change what concerns one adapter, one writer at a time.

    Args:
        root: Of the store.
        name: The adapter.
        changed: From what it is to what it shall be.
        max_kept: How many versions of all adapters may be pins or canaries afterwards.

    Raises:
        ChangeRefused: They would be more.
        TrafficUnreadable: The file is damaged.
        StoreBusy: Another writer held it too long.
        OSError: The disk refuses; nothing was changed.
    """
    with disk.locked(root / LOCK, LOCK_TIMEOUT_S):
        before = read(root)
        after = changed(before.of(name))
        if after == before.of(name):
            return
        adapters = {**before.adapters, name: after}
        if after == AdapterTraffic():
            del adapters[name]
        fresh = Traffic(adapters=adapters)
        count = _kept_count(fresh)
        # Servers with fewer places may share the store; what makes less of it is always taken.
        if max_kept is not None and count > max(max_kept, _kept_count(before)):
            raise ChangeRefused(
                f"{count} versions would be kept docked, expected {max_kept} at most, "
                "so that one place stays for all others. Unpin one, end a canary, or raise "
                "max_docked_versions."
            )
        disk.replace(root / FILE, fresh.model_dump_json(indent=1).encode() + b"\n")


def _kept_count(traffic: Traffic) -> int:
    return sum(
        len({*of.pins, *(canary.version for canary in of.canaries.values())})
        for of in traffic.adapters.values()
    )


def without(of: AdapterTraffic, alias: str) -> AdapterTraffic:
    """An adapter's traffic without the canary of an alias."""
    canaries = {kept: canary for kept, canary in of.canaries.items() if kept != alias}
    return of.model_copy(update={"canaries": canaries})
