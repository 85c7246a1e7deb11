"""Private directories beside the versions, where things are put together or taken apart."""

import contextlib
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from adapters import disk
from adapters.layout import Home


@contextlib.contextmanager
def stage(home: Home) -> Iterator[Path]:
    """A fresh directory, locked while its writer lives and removed unless it was renamed.

    Raises:
        OSError: The disk refuses.
    """
    disk.make_directory(home.staging)
    directory = home.staging / uuid.uuid4().hex
    directory.mkdir()
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            disk.try_lock(descriptor)
            yield directory
        finally:
            os.close(descriptor)
    finally:
        # After a success the directory has moved; what cannot be removed now, `sweep` gets.
        with contextlib.suppress(OSError):
            disk.remove_flat(directory)


def take_away(home: Home, directory: Path) -> Path:
    """Move a directory out of sight by one rename and return where it is now.

    Raises:
        OSError: The disk refuses; the directory is where it was.
    """
    disk.make_directory(home.staging)
    target = home.staging / uuid.uuid4().hex
    disk.move(directory, target)
    return target


def leftovers(home: Home, lease_s: float) -> list[Path]:
    """What writers that died left behind: older than the lease, and locked by nobody."""
    oldest = time.time() - lease_s
    found = []
    for path in [*_entries(home.staging), *home.path.glob(".state.json.*")]:
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime <= oldest and _is_free(path):
                found.append(path)
    return sorted(found)


def sweep(paths: list[Path]) -> None:
    """Remove leftovers.

    Raises:
        OSError: The disk refuses.
    """
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            if path.is_dir():
                disk.remove_flat(path)
            else:
                path.unlink()


def _entries(directory: Path) -> list[Path]:
    return list(directory.iterdir()) if directory.is_dir() else []


def _is_free(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return disk.try_lock(descriptor)
    finally:
        os.close(descriptor)
