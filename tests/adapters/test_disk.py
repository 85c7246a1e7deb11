"""Durable writes and careful reads, down to what is left behind when one fails."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters import disk
from adapters.errors import StoreWriteFailed


def fail(patch: pytest.MonkeyPatch, function: str, number: int = errno.EIO) -> None:
    def call(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    patch.setattr(os, function, call)


def link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def second_name(path: Path) -> None:
    path.write_bytes(b"x")
    os.link(path, path.with_name("second"))


@pytest.mark.parametrize(
    ("make", "number"),
    [
        (link, errno.ELOOP),
        (second_name, errno.EMLINK),
        (os.mkfifo, errno.EINVAL),
        (Path.mkdir, errno.EINVAL),
        (lambda path: None, errno.ENOENT),
    ],
    ids=["link", "second name", "FIFO", "directory", "absent"],
)
def test_only_plain_files_are_read(
    make: Callable[[Path], object], number: int, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    make(path)
    with pytest.raises(OSError, match=r".") as refused:
        disk.read(path, 100)
    assert refused.value.errno == number
    opened = os.listdir("/proc/self/fd")  # noqa: PTH208 - the listing itself is open while it runs
    with pytest.raises(OSError, match=r"."):
        disk.digest(path)
    assert len(os.listdir("/proc/self/fd")) == len(opened)  # noqa: PTH208 - as above


def test_a_file_is_read_up_to_its_limit_and_not_beyond(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    assert disk.read(path, 10) == b"x" * 10
    with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
        disk.read(path, 9)


def test_a_file_is_digested_piece_by_piece(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * (disk.CHUNK_BYTES + 1))
    sha256, size_bytes = disk.digest(path)
    assert size_bytes == disk.CHUNK_BYTES + 1
    assert sha256 == disk.copy_new(path, tmp_path / "copy", size_bytes)[0]
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()


def test_a_source_that_grows_over_its_limit_is_not_copied(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * 11)
    with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
        disk.copy_new(source, tmp_path / "copy", 10)
    assert disk.copy_new(source, tmp_path / "other", 11)[1] == 11


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_replacement_that_fails_leaves_the_old_content_alone(
    function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.json"
    disk.replace(path, b"old")
    assert stat.S_IMODE(path.stat().st_mode) & 0o111 == 0
    fail(monkeypatch, function)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        disk.replace(path, b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]
    assert path.read_bytes() == b"old"


def test_a_replacement_that_cannot_clean_up_says_what_came_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(monkeypatch, "replace", errno.ENOSPC)
    fail(monkeypatch, "unlink", errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        disk.replace(tmp_path / "state.json", b"new")


def test_nothing_is_written_over(tmp_path: Path) -> None:
    disk.write_new(tmp_path / "file", b"one")
    with pytest.raises(FileExistsError):
        disk.write_new(tmp_path / "file", b"two")
    assert (tmp_path / "file").read_bytes() == b"one"


def test_an_append_drops_what_was_not_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    disk.append(path, b"one\n", 0)
    with path.open("ab") as file:
        file.write(b"torn")
    disk.append(path, b"two\n", 4)
    assert path.read_bytes() == b"one\ntwo\n"


def test_a_directory_is_made_once_with_its_parents(tmp_path: Path) -> None:
    for _ in range(2):
        disk.make_directory(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    def broken() -> None:
        with disk.locked(path, 0):
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    with disk.locked(path, 0):
        pass


def test_an_error_of_the_disk_becomes_a_sentence() -> None:
    with (
        pytest.raises(StoreWriteFailed) as failed,
        disk.reported("Publishing tales"),
    ):
        raise OSError(None, None)
    assert str(failed.value) == (
        "Publishing tales failed: unknown error, None (while writing). Expected a writable disk "
        "with room. Free space or mend the disk, then try again; what was there before is unchanged."
    )
