"""One immutable version, and reading it without believing that it is unchanged."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from adapters import disk, integrity, records
from adapters.errors import VersionDamaged
from adapters.layout import MANIFEST, MAX_BYTES, Home
from adapters.manifest import Manifest


@dataclass(frozen=True)
class Version:
    """One immutable version.

    Attributes:
        name: The adapter.
        number: Counts from 1.
        path: A plain PEFT directory that an engine can load.
        manifest: What is known about it.
    """

    name: str
    number: int
    path: Path
    manifest: Manifest

    def __str__(self) -> str:
        """`name@3`, which is also what an engine calls it."""
        return f"{self.name}@{self.number}"


def read(home: Home, number: int) -> Version | None:
    """Read a version whose manifest is the one that was published; `None` if it is not there.

    Raises:
        VersionDamaged: Its manifest is another one, or none.
        StoreDamaged: The records of the adapter cannot be read.
    """
    return _read(home, number, records.load(home).manifests.get(number))


def read_all(home: Home) -> list[Version]:
    """Every version of an adapter, in order.

    Raises:
        VersionDamaged: The manifest of one is another one, or none.
        StoreDamaged: The records of the adapter cannot be read.
    """
    given = records.load(home).manifests
    found = (_read(home, number, given.get(number)) for number in home.numbers_on_disk())
    return [version for version in found if version is not None]


def _read(home: Home, number: int, expected: str | None) -> Version | None:
    path = home.version(number)
    if expected is None or path.is_symlink() or not path.is_dir():
        return None
    try:
        raw = disk.read(path / MANIFEST, MAX_BYTES[MANIFEST])
        manifest = integrity.parse(raw)
    except (OSError, ValueError) as error:
        if not path.is_dir():
            # gc was faster.
            return None
        raise _damaged(path, str(error)) from error
    if hashlib.sha256(raw).hexdigest() != expected:
        raise _damaged(path, "its manifest changed after it was published")
    return Version(home.name, number, path, manifest)


def _damaged(path: Path, reason: str) -> VersionDamaged:
    return VersionDamaged(
        f"{path} is not what was published: {reason}. Expected the published bytes. Run "
        "`python -m adapters fsck`, promote another version, and publish this one again."
    )
