"""The store: there, writable, on a file system that keeps its promises, whole, and free to write."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from adapters import collecting, disk, fsck, records, staging
from adapters.errors import AdapterError
from adapters.store import Store
from service.doctor.finding import Finding, State, not_applicable
from service.doctor.processes import command_of

SCARCE_BYTES = 1 << 30
FULL_BYTES = 64 << 20
LOCK_WAIT_S = 0.3
HASHING_S = 1.0
SHOWN = 5


def check(root: Path) -> list[Finding]:
    """Every check of a store; reads it, and writes only into a directory of its own."""
    if root.exists() and not root.is_dir():
        remedy = "Give --store the directory that `python -m training.sft` publishes to."
        return [Finding("store", "failed", f"{root} is not a directory", remedy)]
    place = next(path for path in [root, *root.parents] if path.is_dir())
    found = [_file_system(root, place), _space(place)]
    if place != root:
        return [
            *found,
            *(not_applicable(name, "the store is empty") for name in ("adapters", "locks")),
        ]
    store = Store(root)
    try:
        return [*found, _adapters(store), _locks(store)]
    except OSError as error:
        remedy = f"Give it to this user: `chown -R {os.getuid()} {root}`."
        return [*found, Finding("adapters", "failed", f"cannot be read: {error}", remedy)]


def _file_system(root: Path, place: Path) -> Finding:
    """Try what the store relies on, in a private directory."""
    try:
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=place) as scratch:
            broken = _broken_promises(Path(scratch))
    except OSError as error:
        remedy = f"Make it writable for user {os.getuid()}, or choose another --store."
        return Finding("store", "failed", f"{place} cannot be written: {error}", remedy)
    if broken:
        remedy = "Put the store on a local disk, or on a network file system with locks (NFS 4)."
        return Finding("store", "failed", f"the file system of {place} {broken}", remedy)
    if place != root:
        return Finding("store", "ok", f"{root} is not there yet; the first publish makes it")
    return Finding("store", "ok", f"{root} is writable; renames are atomic, locks exclude")


def _broken_promises(scratch: Path) -> str | None:
    """What a file system does not keep: durable writes, renames over files, exclusive locks."""
    disk.write_new(scratch / "old", b"old")
    disk.replace(scratch / "old", b"new")
    disk.make_directory(scratch / "stage")
    disk.move(scratch / "stage", scratch / "version")
    if (scratch / "old").read_bytes() != b"new" or not (scratch / "version").is_dir():
        return "does not replace a file by a rename"
    first, second = (os.open(scratch / "lock", os.O_RDWR | os.O_CREAT, 0o600) for _ in range(2))
    try:
        if not disk.try_lock(first) or disk.try_lock(second):
            return "lets two writers have one lock"
    finally:
        os.close(first)
        os.close(second)
    return None


def _space(place: Path) -> Finding:
    free_bytes, inodes = shutil.disk_usage(place).free, os.statvfs(place)
    found = f"{free_bytes / 1e9:.1f} GB free"
    remedy = "`python -m adapters gc --dry-run` shows what may go; or move the store."
    if inodes.f_files and not inodes.f_favail:
        return Finding("store space", "failed", f"{found}, but no inodes", remedy)
    if free_bytes < SCARCE_BYTES:
        state: State = "failed" if free_bytes < FULL_BYTES else "warning"
        return Finding("store space", state, found, remedy)
    return Finding("store space", "ok", found)


def _adapters(store: Store) -> Finding:
    """Records and manifests of all versions, and the bytes of as many as a second allows."""
    wrong: list[str] = []
    count = hashed = 0
    end = time.monotonic() + HASHING_S
    for name in store.all_names():
        try:
            versions = store.all_versions(name)
            given = records.load(store.home(name))
        except AdapterError as error:
            wrong.append(str(error))
            continue
        count += len(versions)
        numbers = {version.number for version in versions}
        wrong += [
            f"{name}@{alias} points at version {number}, which is not there"
            for alias, number in given.aliases.items()
            if number not in numbers
        ]
        # Those that aliases point at first: they are what is served.
        for version in sorted(versions, key=lambda v: v.number not in given.aliases.values()):
            if time.monotonic() < end:
                hashed += 1
                wrong += [f"{version}: {finding}" for finding in fsck.damage(version.path)]
    if wrong:
        remedy = "`python -m adapters fsck` names everything, `--repair` mends what is safe."
        return Finding("adapters", "failed", "; ".join(wrong[:SHOWN]), remedy)
    rest = "" if hashed == count else ", the others by manifest; `fsck` reads all"
    return Finding("adapters", "ok", f"{count} version(s), {hashed} read whole{rest}")


def _locks(store: Store) -> Finding:
    """Writers that hold an adapter for long, and what dead ones left behind."""
    held = [text for name in store.all_names() for text in _holders(store.home(name).lock)]
    if held:
        remedy = "Wait for it to end, or end it if it hangs: nothing can be published meanwhile."
        return Finding("locks", "warning", "; ".join(held), remedy)
    left = [
        str(path)
        for name in store.all_names()
        for path in staging.leftovers(store.home(name), collecting.LEASE_S)
    ]
    if left:
        found = f"writers that died left {', '.join(left[:SHOWN])}"
        return Finding("locks", "warning", found, "`python -m adapters gc` removes it.")
    return Finding("locks", "ok", "no writer at work, nothing left by dead ones")


def _holders(lock: Path) -> Iterator[str]:
    if not lock.is_file():
        return
    descriptor = os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        end = time.monotonic() + LOCK_WAIT_S
        while not disk.try_lock(descriptor):
            if time.monotonic() > end:
                yield f"{lock} is held by {_locker(os.fstat(descriptor).st_ino)}"
                return
            time.sleep(disk.POLL_S)
    finally:
        os.close(descriptor)


def _locker(inode: int) -> str:
    """Who holds a lock, by the kernel's list; a lock goes with its process, but not across NFS."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="utf-8").splitlines():
            fields = line.split()
            if "->" not in fields and int(fields[5].rsplit(":", 1)[1]) == inode:
                return _process(int(fields[4]))
    return "a process of another machine or container"


def _process(number: int) -> str:
    try:
        return f"process {number} ({command_of(number)})"
    except OSError:
        return f"process {number}, which is gone or in another container"
