"""Durable writes and careful reads: what is acknowledged survives a crash, links are not followed.

Every change goes through functions of `os`, so a test can fail or kill at each one. Knows
nothing of adapters.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from adapters.errors import StoreBusy, StoreWriteFailed

CHUNK_BYTES = 1 << 20
POLL_S = 0.005


@contextlib.contextmanager
def reported(what: str) -> Iterator[None]:
    """Turn an error of the disk into one sentence with a remedy.

    Raises:
        StoreWriteFailed: The operating system refused.
    """
    try:
        yield
    except OSError as error:
        number = errno.errorcode.get(error.errno or 0, "unknown error")
        raise StoreWriteFailed(
            f"{what} failed: {number}, {error.strerror} ({error.filename or 'while writing'}). "
            "Expected a writable disk with room. Free space or mend the disk, then try again; "
            "what was there before is unchanged."
        ) from error


def open_regular(path: Path) -> int:
    """Open a file for reading and return its descriptor.

    Raises:
        OSError: It is a link (ELOOP), not a plain file (EINVAL), has a second name (EMLINK) or
            cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    status = os.fstat(descriptor)
    problem = None
    if not stat.S_ISREG(status.st_mode):
        problem = errno.EINVAL
    elif status.st_nlink > 1:
        problem = errno.EMLINK
    if problem is not None:
        os.close(descriptor)
        raise OSError(problem, os.strerror(problem), str(path))
    return descriptor


@contextlib.contextmanager
def reading(path: Path) -> Iterator[int]:
    """Open a plain file for reading, see `open_regular`."""
    descriptor = open_regular(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read(path: Path, limit_bytes: int) -> bytes:
    """Read a plain file of at most `limit_bytes`.

    Raises:
        OSError: It cannot be read, or is larger (EFBIG).
    """
    with reading(path) as descriptor:
        raw = b"".join(chunks(descriptor, limit_bytes + 1))
    if len(raw) > limit_bytes:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return raw


def chunks(descriptor: int, limit_bytes: int | None = None) -> Iterator[bytes]:
    """Read a descriptor to its end, or to a limit."""
    left = limit_bytes
    while left is None or left > 0:
        chunk = os.read(descriptor, CHUNK_BYTES if left is None else min(CHUNK_BYTES, left))
        if not chunk:
            return
        if left is not None:
            left -= len(chunk)
        yield chunk


def digest(path: Path) -> tuple[str, int]:
    """The sha256 of a plain file and its size in bytes.

    Raises:
        OSError: It cannot be read.
    """
    total, hashed = 0, hashlib.sha256()
    with reading(path) as descriptor:
        for chunk in chunks(descriptor):
            hashed.update(chunk)
            total += len(chunk)
    return hashed.hexdigest(), total


def write_new(path: Path, content: bytes) -> None:
    """Create a file that must not exist, durably.

    Raises:
        OSError: It exists, or the disk refuses.
    """
    with creating(path) as write:
        write(content)


@contextlib.contextmanager
def creating(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Write a file that must not exist piece by piece; it is durable afterwards.

    Raises:
        OSError: It exists, or the disk refuses.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o644)
    try:
        yield lambda content: _write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_new(source: Path, target: Path, limit_bytes: int) -> tuple[str, int]:
    """Copy a plain file to one that must not exist, durably; return sha256 and size in bytes.

    Raises:
        OSError: The source is no plain file or grew over the limit, or the disk refuses.
    """
    total, hashed = 0, hashlib.sha256()
    with reading(source) as reader, creating(target) as write:
        for chunk in chunks(reader, limit_bytes + 1):
            total += len(chunk)
            if total > limit_bytes:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(source))
            hashed.update(chunk)
            write(chunk)
    return hashed.hexdigest(), total


def replace(path: Path, content: bytes) -> None:
    """Put new content in the place of a file, atomically and durably.

    Raises:
        OSError: The disk refuses; the old content stands.
    """
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        write_new(fresh, content)
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def append(path: Path, record: bytes, offset_bytes: int) -> None:
    """Write a record at an offset, dropping what an earlier writer left unacknowledged there.

    Raises:
        OSError: The disk refuses.
    """
    fresh = not path.exists()
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o644)
    try:
        if os.fstat(descriptor).st_size != offset_bytes:
            os.ftruncate(descriptor, offset_bytes)
        os.lseek(descriptor, offset_bytes, os.SEEK_SET)
        _write(descriptor, record)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if fresh:
        sync_directory(path.parent)


def make_directory(path: Path) -> None:
    """Create a directory and its parents durably, if they do not exist.

    Raises:
        OSError: The disk refuses.
    """
    if path.is_dir():
        return
    make_directory(path.parent)
    with contextlib.suppress(FileExistsError):
        path.mkdir()
    sync_directory(path.parent)


def move(source: Path, target: Path) -> None:
    """Rename a directory durably; the target must not exist.

    Raises:
        OSError: The disk refuses.
    """
    source.rename(target)
    sync_directory(target.parent)
    sync_directory(source.parent)


def remove_flat(directory: Path) -> None:
    """Remove a directory that holds files only.

    Raises:
        OSError: The disk refuses.
    """
    for entry in list(directory.iterdir()):
        entry.unlink()
    directory.rmdir()


def sync_directory(path: Path) -> None:
    """Make names created, changed or removed in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path, timeout_s: float) -> Iterator[None]:
    """Hold the lock of a file; the system frees it when its holder dies.

    Raises:
        StoreBusy: Somebody else held it for the whole time.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + timeout_s
        while not try_lock(descriptor):
            if time.monotonic() > deadline:
                raise StoreBusy(
                    f"{path} was locked by another process for {timeout_s:g} s, expected it to be "
                    "free by then. Look for a writer that hangs (`fuser` names it), then try again."
                )
            time.sleep(POLL_S)
        yield
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Lock an open file for this descriptor alone, without waiting."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
