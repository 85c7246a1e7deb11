"""Where fsck puts what it takes out of use; nothing here deletes anything."""

from datetime import UTC, datetime
from pathlib import Path

from adapters import disk, records
from adapters.layout import Home


def move(home: Home, path: Path) -> None:
    """Take a file, a directory or a link away by one rename.

    Raises:
        OSError: The disk refuses; it is where it was.
    """
    disk.make_directory(home.quarantine)
    disk.move(path, _place(home, path))


def set_aside(home: Home, path: Path) -> None:
    """Take a version out of use; a file is only copied, since its successor replaces it.

    Raises:
        OSError: The disk refuses; it is where it was.
    """
    if path.is_dir() or path.is_symlink():
        move(home, path)
    elif path.is_file():
        disk.make_directory(home.quarantine)
        disk.copy_new(path, _place(home, path), records.MAX_RECORD_BYTES)
        disk.sync_directory(home.quarantine)


def numbers(home: Home) -> list[int]:
    """The numbers of the versions that were taken out of use."""
    entries = home.quarantine.iterdir() if home.quarantine.is_dir() else []
    starts = (entry.name.split("-")[0] for entry in entries)
    return [int(start) for start in starts if start.isdecimal()]


def _place(home: Home, path: Path) -> Path:
    return home.quarantine / f"{path.name}-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
