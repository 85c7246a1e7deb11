"""Tar and zip files as untrusted input: bounded, no links, nothing outside, read twice.

First every member is listed and judged, then the files of one adapter are written out.
"""

import contextlib
import gzip
import os
import stat
import tarfile
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, Protocol

from adapters import disk
from adapters.errors import ImportRefused
from adapters.findings import shown
from adapters.layout import CONFIG, WEIGHTS

MAX_MEMBERS = 1000
READ_BYTES = 1 << 20
# For tokenizers, cards, plots and what is left out.
SLACK_BYTES = 256 << 20


class Member(NamedTuple):
    """One entry of an archive.

    Attributes:
        path: As it stands in the archive.
        size_bytes: As the archive claims.
        problem: Why no archive with this entry is taken, `None` if it is harmless.
        is_file: Whether it has content.
    """

    path: str
    size_bytes: int
    problem: str | None
    is_file: bool


class Readable(Protocol):
    """What content is read from."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, none at the end."""


Visit = Callable[[Member, Callable[[], Readable]], None]


def unpack(archive: Path, target: Path, limit_of: Callable[[str], int | None]) -> list[str]:
    """Write the files of the one adapter in an archive into `target`.

    Args:
        archive: A `.tar`, `.tar.gz` or `.zip`, told apart by content.
        target: An empty directory.
        limit_of: The largest size in bytes of a file by its name, `None` if it is not wanted.

    Returns:
        The members that were left out.

    Raises:
        ImportRefused: The archive is damaged, hostile, or holds no adapter or several.
        OSError: The disk refuses.
    """
    total_bytes = sum(limit_of(name) or 0 for name in (CONFIG, WEIGHTS)) + SLACK_BYTES
    try:
        members: list[Member] = []
        _walk(archive, total_bytes, lambda member, _: _note(members, member, archive))
        root = _root(members, archive)
        wanted = {
            member.path: PurePosixPath(member.path).name
            for member in members
            if member.is_file
            and PurePosixPath(member.path).parent == root
            and limit_of(PurePosixPath(member.path).name) is not None
        }

        def write(member: Member, opened: Callable[[], Readable]) -> None:
            if member.path in wanted:
                name = wanted[member.path]
                _write(opened(), target / name, limit_of(name) or 0, archive)

        _walk(archive, total_bytes, write)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, UnicodeError) as error:
        raise _refused(archive, f"it cannot be read ({error})") from error
    return sorted(member.path for member in members if member.is_file and member.path not in wanted)


def _note(members: list[Member], member: Member, archive: Path) -> None:
    if len(members) >= MAX_MEMBERS:
        raise _refused(archive, f"it has more than {MAX_MEMBERS} members")
    path = PurePosixPath(member.path)
    problem = member.problem
    if path.is_absolute() or ".." in path.parts or "\\" in member.path:
        problem = "leads outside"
    elif any(member.path == other.path for other in members):
        problem = "occurs twice"
    if problem is not None:
        raise _refused(archive, f"its member {shown(member.path)} {problem}")
    members.append(member)


def _root(members: list[Member], archive: Path) -> PurePosixPath:
    roots = [
        PurePosixPath(member.path).parent
        for member in members
        if member.is_file and PurePosixPath(member.path).name == CONFIG
    ]
    if len(roots) != 1:
        raise _refused(archive, f"it holds {len(roots)} adapters ({CONFIG})")
    return roots[0]


def _write(source: Readable, target: Path, limit_bytes: int, archive: Path) -> None:
    with disk.creating(target) as write:
        total = 0
        while chunk := source.read(READ_BYTES):
            total += len(chunk)
            if total > limit_bytes:
                raise _refused(archive, f"{target.name} is larger than {limit_bytes} bytes")
            write(chunk)


def _walk(archive: Path, total_bytes: int, visit: Visit) -> None:
    with disk.reading(archive) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        start = file.read(4)
        file.seek(0)
        if start[:2] == b"PK":
            _walk_zip(file, visit)
        elif start[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=file) as inflated:
                _walk_tar(_Bounded(inflated, total_bytes, archive), visit)
        else:
            _walk_tar(_Bounded(file, total_bytes, archive), visit)


def _walk_tar(stream: "_Bounded", visit: Visit) -> None:
    # A stream is read front to back and never seeks, so the bound holds for every byte.
    with tarfile.open(fileobj=stream, mode="r|") as tar:  # type: ignore[call-overload] # only read
        for entry in tar:
            problem = None if entry.isfile() or entry.isdir() else "is a link or a device"
            if entry.issparse():
                problem = "is sparse"
            member = Member(entry.name, entry.size, problem, entry.isfile())
            visit(member, partial(_content, tar, entry))


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> Readable:
    content = tar.extractfile(entry)
    if content is None:
        raise tarfile.ReadError(f"{entry.name} has no content")
    return content


def _walk_zip(file: BinaryIO, visit: Visit) -> None:
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist()[: MAX_MEMBERS + 1]:
            kind = stat.S_IFMT(entry.external_attr >> 16)
            problem = None
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                problem = "is a link or a device"
            elif entry.flag_bits & 1:
                problem = "is encrypted"
            member = Member(entry.filename, entry.file_size, problem, not entry.is_dir())
            visit(member, partial(_open, archive, entry))


def _open(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Readable:
    return archive.open(entry)


class _Bounded:
    """A stream that ends in a refusal once it has given more than agreed."""

    def __init__(self, file: Readable, limit_bytes: int, archive: Path) -> None:
        self._file, self._left, self._archive = file, limit_bytes, archive
        self.limit_bytes = limit_bytes

    def read(self, size: int) -> bytes:
        chunk = self._file.read(size)
        self._left -= len(chunk)
        if self._left < 0:
            raise _refused(self._archive, f"it unpacks to more than {self.limit_bytes} bytes")
        return chunk


def _refused(archive: Path, reason: str) -> ImportRefused:
    return ImportRefused(
        f"{archive} is not taken: {reason}. Expected a .tar, .tar.gz or .zip of one PEFT adapter. "
        "Pack the adapter's directory alone, or import the directory itself."
    )


@contextlib.contextmanager
def packing(target: Path) -> Iterator[Callable[[Path, str, float], None]]:
    """Write a tar file that appears only when it is complete.

    Raises:
        OSError: The disk refuses.
    """
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        with partial.open("xb") as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                yield lambda path, name, seconds: _pack(tar, path, name, seconds)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    disk.sync_directory(target.parent)


def _pack(tar: tarfile.TarFile, path: Path, name: str, seconds: float) -> None:
    with disk.reading(path) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = os.fstat(descriptor).st_size, seconds, 0o644
        tar.addfile(entry, file)
