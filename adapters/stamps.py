"""What changes whenever an adapter's versions or aliases do, at the price of one look at its state.

Knows nothing of what the state says; who sees a new stamp reads it.
"""

import os
from pathlib import Path

from adapters import names
from adapters.layout import STATE


def stamps(root: Path) -> dict[str, tuple[int, ...] | None]:
    """A stamp for every adapter of a store; None for one whose state cannot be looked at.

    Raises:
        OSError: The store cannot be listed.
    """
    found: dict[str, tuple[int, ...] | None] = {}
    # Paths as text: with a thousand adapters, objects for them would cost more than the disk.
    with os.scandir(root) as entries:
        for entry in entries:
            if names.PATTERN.fullmatch(entry.name) and entry.is_dir():
                found[entry.name] = _stamp(f"{entry.path}/{STATE}")
    return found


def _stamp(state: str) -> tuple[int, ...] | None:
    try:
        seen = os.stat(state)  # noqa: PTH116 - see `stamps`
    except OSError:
        return None
    # The file is replaced whole, so a change shows in its inode, size or time.
    return seen.st_ino, seen.st_size, seen.st_mtime_ns
