"""Copies of a whole store, taken while others publish, promote and collect, and put back.

What arrives is a store itself, every version compared with its digests. It appears by one rename,
so a copy that was cut short is never taken for one. Copies only: readers refuse hard links.
"""

import contextlib
import shutil
import stat
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from adapters import disk, names, records, versions
from adapters.errors import BackupRefused, StoreDamaged, VersionDamaged
from adapters.layout import MANIFEST, Home
from adapters.store import Store


@dataclass
class Copy:
    """What was copied.

    Attributes:
        versions: `name@3` each.
        size_bytes: Of their files.
        left_out: What is damaged in the source, each with the reason.
    """

    versions: list[str] = field(default_factory=list)
    size_bytes: int = 0
    left_out: list[str] = field(default_factory=list)


def backup(store: Store, target: Path) -> Copy:
    """Copy a store that may be in use.

    Most is copied while writers go on. Each adapter is locked only to copy what was published
    meanwhile, with its records of that moment.

    Args:
        store: What to copy.
        target: A new name, or an empty directory, outside the store.

    Raises:
        BackupRefused: The store or the place for the copy is not as expected.
        StoreWriteFailed: The disk refused; nothing is at the target.
        StoreBusy: A writer held the lock too long; nothing is at the target.
    """
    if target.resolve().is_relative_to(store.root):
        raise BackupRefused(
            f"{target} is inside the store {store.root}; expected a place outside. Name another."
        )
    return _copy_store(store, target, live=True)


def restore(source: Path, target: Path) -> Copy:
    """Copy a backup, which is only read, to where a store shall be.

    Raises:
        BackupRefused: There is no store at the source, or already one at the target.
        StoreWriteFailed: The disk refused; nothing is at the target.
    """
    return _copy_store(Store(source), target, live=False)


def _copy_store(store: Store, target: Path, *, live: bool) -> Copy:
    _require_adapters(store)
    _require_free(target)
    stage = target.with_name(f".{target.name}.partial-{uuid.uuid4().hex}")
    done = Copy()
    with disk.reported(f"Copying {store.root} to {target}"):
        try:
            disk.make_directory(stage)
            for path in _root_files(store.root):
                disk.copy_new(path, stage / path.name, records.MAX_RECORD_BYTES)
            for name in store.all_names():
                _copy_adapter(store, name, Home(stage / name), done, live=live)
            disk.sync_directory(stage)
            disk.move(stage, target)
        finally:
            # After a success it has moved; a process that is killed leaves it under this name.
            shutil.rmtree(stage, ignore_errors=True)
    return done


def _require_adapters(store: Store) -> None:
    if not any(store.home(name).state.is_file() for name in store.all_names()):
        raise BackupRefused(
            f"There is no store in {store.root}: no adapter was found. Expected a directory that "
            "`python -m adapters backup`, `training.sft` or `import` wrote. Check the path."
        )


def _require_free(target: Path) -> None:
    taken = target.is_symlink() or (
        target.exists() and (not target.is_dir() or any(target.iterdir()))
    )
    if taken or not target.absolute().parent.is_dir():
        raise BackupRefused(
            f"Nothing is copied to {target}: it is not empty, or its directory does not exist. "
            "Expected a new name in an existing directory. Choose one."
        )


def _root_files(root: Path) -> list[Path]:
    """Plain files beside the adapters: what the service keeps for all of them."""
    return [
        path
        for path in sorted(root.iterdir())
        if not path.name.startswith(".") and stat.S_ISREG(path.lstat().st_mode)
    ]


def _copy_adapter(store: Store, name: str, target: Home, done: Copy, *, live: bool) -> None:
    source = store.home(names.require_name(name))
    disk.make_directory(target.versions)
    if live:
        # What gc takes away meanwhile, or is damaged, is judged below.
        with contextlib.suppress(StoreDamaged):
            for number in store.versions(name):
                with contextlib.suppress(VersionDamaged):
                    _copy_version(source, target, number)
    with store.locked(name) if live else contextlib.nullcontext():
        try:
            state = records.load(source)
            history = _acknowledged(source, state)
        except StoreDamaged as error:
            done.left_out.append(f"{name}: {error}")
            shutil.rmtree(target.path)
            return
        _copy_versions(source, target, state, done)
        _copy_evaluations(source, target)
    if history:
        disk.write_new(target.history, history)
    # The state comes last, as it does in a store: it says what counts.
    records.save(target, state)
    disk.sync_directory(target.versions)


def _copy_versions(source: Home, target: Home, state: records.State, done: Copy) -> None:
    """Make the copy hold the versions of a state and no others; the source stands still."""
    for number in set(target.numbers_on_disk()) - set(state.manifests):
        disk.remove_flat(target.version(number))
    for number in sorted(set(source.numbers_on_disk()) & set(state.manifests)):
        try:
            size_bytes = _copy_version(source, target, number)
        except VersionDamaged as error:
            done.left_out.append(str(error))
            continue
        done.versions.append(f"{source.name}@{number}")
        done.size_bytes += size_bytes


def _copy_version(source: Home, target: Home, number: int) -> int:
    """Copy a version unless it is there, and return its size in bytes.

    Raises:
        VersionDamaged: It is not what was published, or it is gone.
    """
    version = versions.read(source, number)
    if version is None:
        raise VersionDamaged(f"{source.name}@{number} is not there any more.")
    size_bytes = sum(file.size_bytes for file in version.manifest.files.values())
    goal = target.version(number)
    if goal.is_dir():
        return size_bytes
    scratch = target.path / "scratch"
    scratch.mkdir()
    try:
        for name, expected in version.manifest.files.items():
            _copy_file(version.path / name, scratch / name, expected.sha256)
        disk.copy_new(version.path / MANIFEST, scratch / MANIFEST, records.MAX_RECORD_BYTES)
        disk.sync_directory(scratch)
        disk.move(scratch, goal)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return size_bytes


def _copy_file(source: Path, target: Path, expected: str) -> None:
    try:
        sha256, _ = disk.copy_new(source, target, source.stat().st_size)
    except OSError as error:
        if str(error.filename) != str(source):
            raise
        sha256 = str(error.strerror)
    if sha256 != expected:
        raise VersionDamaged(
            f"{source} is not what was published: {sha256}, expected {expected}. "
            "`python -m adapters fsck` says more; publish it again if it is needed."
        )


def _acknowledged(home: Home, state: records.State) -> bytes:
    """The part of the history that counts."""
    if not state.history_bytes:
        return b""
    try:
        raw = disk.read(home.history, records.MAX_RECORD_BYTES)
    except OSError as error:
        raise StoreDamaged(f"{home.history} cannot be read: {error.strerror}.") from error
    return raw[: state.history_bytes]


def _copy_evaluations(source: Home, target: Home) -> None:
    folder = source.path / "evaluations"
    for path in sorted(folder.glob("*.jsonl")) if folder.is_dir() else []:
        disk.make_directory(target.path / "evaluations")
        kept = records.complete(disk.read(path, records.MAX_RECORD_BYTES))
        disk.write_new(target.path / "evaluations" / path.name, kept)
