"""Who holds which version: one file per holder, locked for as long as the holder lives.

The lock goes with the process, so a holder that was killed holds nothing, and no clock or
process id is trusted.
"""

import contextlib
import json
import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from adapters import disk
from adapters.layout import Home


class Hold:
    """A promise that gc leaves a version alone until `release` or the end of the process.

    Attributes:
        path: The file that is locked.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let go; a second time does nothing."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            with contextlib.suppress(OSError):
                self.path.unlink()
            os.close(descriptor)

    def __enter__(self) -> "Hold":
        """Nothing more to do: it is held since it was made."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go."""
        self.release()


def take(home: Home, number: int, who: str) -> Hold:
    """Hold a version; the caller has the lock of the adapter and has seen that it exists.

    Raises:
        OSError: The disk refuses.
    """
    disk.make_directory(home.holds)
    path = home.holds / f"{number}-{uuid.uuid4().hex}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        disk.try_lock(descriptor)
        note = {"who": who, "host": socket.gethostname(), "process": os.getpid()}
        os.write(descriptor, json.dumps(note).encode())
    except OSError:
        os.close(descriptor)
        raise
    return Hold(path, descriptor)


def live(home: Home) -> dict[int, list[str]]:
    """Which versions are held, and by whom; the caller has the lock of the adapter.

    Files of dead holders are removed.

    Raises:
        OSError: The disk refuses.
    """
    held: dict[int, list[str]] = {}
    for path in _files(home):
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if disk.try_lock(descriptor):
                    path.unlink()
                else:
                    held.setdefault(int(path.name.split("-")[0]), []).append(_note(descriptor))
            finally:
                os.close(descriptor)
    return held


def _files(home: Home) -> Iterator[Path]:
    if home.holds.is_dir():
        yield from (path for path in home.holds.iterdir() if path.name.split("-")[0].isdecimal())


def _note(descriptor: int) -> str:
    try:
        note = json.loads(os.pread(descriptor, 4096, 0))
    except ValueError:
        return "a holder that is just starting"
    return f"{note['who']} (process {note['process']} on {note['host']})"
