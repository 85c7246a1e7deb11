"""Runs operations on a store and kills them, or fails their disk, at every n-th change.

    python -m tests.adapters.crashing DIRECTORY FAULT

prints one report per operation. A process of its own, because it forks: nothing here has threads.
"""

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from adapters import collecting, fsck
from adapters.collecting import Policy
from adapters.errors import StoreWriteFailed
from adapters.importing import import_adapter
from adapters.store import Store
from tests.adapters.making import make_adapter, make_base

NOTE = {"who": "tester", "why": "a crash test"}
# Every way in which this project changes a disk.
CHANGES = ("write", "fsync", "mkdir", "rename", "replace", "unlink", "rmdir", "ftruncate", "open")
KILLED = 137
REFUSED = 3
NOTHING_YOUNG = Policy(keep_targets=1, min_age_s=0, lease_s=0)
Snapshot = dict[str, Any]


def publish(root: Path) -> None:
    base = root.parent / "base"
    store = Store(root)
    draft = make_adapter(base).draft()
    store.publish("tales", root.parent / "source", draft, base_dir=base)


def first_publish(root: Path) -> None:
    base = root.parent / "base"
    draft = make_adapter(base).draft()
    Store(root).publish("fresh", root.parent / "source", draft, base_dir=base)


def promote(root: Path) -> None:
    store = Store(root)
    old = store.aliases("tales").get("stable")
    store.set_alias("tales", "stable", 3, expected=old, **NOTE)


def rollback(root: Path) -> None:
    Store(root).rollback("tales", "stable", **NOTE)


def evaluate(root: Path) -> None:
    Store(root).record_evaluation("tales", 1, {"correct": 0.5})


def collect(root: Path) -> None:
    collecting.collect(Store(root), "tales", NOTHING_YOUNG, dry_run=False)


def bring_in(root: Path) -> None:
    import_adapter(Store(root), "tales", str(root.parent / "foreign"))


def repair(root: Path) -> None:
    fsck.check(Store(root), "tales", repair=True)


OPERATIONS: dict[str, Callable[[Path], None]] = {
    function.__name__: function
    for function in (
        publish, first_publish, promote, rollback, evaluate, collect, bring_in, repair,
    )
}  # fmt: skip


def prepare(directory: Path, operation: str) -> Path:
    """A store with three versions, aliases with a past, and evaluations."""
    base = make_base(directory / "base")
    adapter = make_adapter(base)
    source = adapter.write(directory / "source")
    adapter.extra = {"training_args.bin": b"\x80"}
    adapter.write(directory / "foreign")
    store = Store(directory / "seed")
    for _ in range(3):
        store.publish("tales", source, adapter.draft(), base_dir=base)
    store.set_alias("tales", "stable", 2, expected=None, **NOTE)
    store.set_alias("tales", "stable", 1, expected=2, **NOTE)
    store.record_evaluation("tales", 1, {"correct": 0.25})
    if operation == "repair":
        (store.version("tales", 3).path / "adapter_config.json").write_text("{}")
        with store.home("tales").history.open("r+b") as file:
            file.write(b"#")
    return store.root


def snapshot(root: Path) -> Snapshot:
    """Everything a reader sees, without times."""
    store = Store(root)
    return {
        name: {
            "versions": {n: store.version(name, n).manifest.content_sha256 for n in versions},
            "aliases": store.aliases(name),
            "history": [(c.alias, c.old, c.new) for c in store.history(name)],
            "evaluations": {n: len(store.evaluations(name, n)) for n in versions},
        }
        for name in store.names()
        if (versions := store.versions(name))
    }


class Fault:
    """Counts changes of the disk, and at the n-th one does what it is told."""

    def __init__(self, kind: str, at: int) -> None:
        self.kind, self.at, self.count = kind, at, 0

    def install(self) -> None:
        for name in CHANGES:
            setattr(os, name, self._wrapped(getattr(os, name), name))

    def _wrapped(self, real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - stands for any function of os
            if name == "open" and not args[1] & os.O_CREAT:
                return real(*args, **kwargs)
            self.count += 1
            if self.count != self.at:
                return real(*args, **kwargs)
            if self.kind == "kill":
                os._exit(KILLED)
            if name == "write" and self.kind in ("short", "torn"):
                written = real(args[0], args[1][: max(1, len(args[1]) // 2)])
                if self.kind == "torn":
                    os._exit(KILLED)
                return written
            if self.kind == "short":
                return real(*args, **kwargs)
            if self.kind == "torn":
                os._exit(KILLED)
            number = getattr(errno, self.kind)
            raise OSError(number, os.strerror(number))

        return call


def run(operation: Callable[[], object], kind: str, at: int, counter: Path) -> tuple[int, int]:
    """Run an operation in a child whose disk fails; return its exit status and count of changes."""
    counter.write_text("0")
    child = os.fork()
    if child == 0:
        fault = Fault(kind, at)
        fault.install()
        status = 0
        try:
            operation()
        except StoreWriteFailed:
            status = REFUSED
        # An unexpected error leaves its traceback on stderr and another status.
        counter_bytes = str(fault.count).encode()
        fault.at = 0
        counter.write_bytes(counter_bytes)
        os._exit(status)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), int(counter.read_text())


def judge(root: Path, operation: str, old: Snapshot, new: Snapshot) -> list[str]:
    """What is wrong with a store after a fault."""
    wrong = []
    was_new = False
    if operation != "repair":
        seen = snapshot(root)
        was_new = seen == new
        if not is_between(seen, old, new, several=operation == "collect"):
            wrong.append(f"neither old nor new: {seen}")
    store = Store(root)
    for name in store.all_names():
        fsck.check(store, name, repair=True)
        wrong += [f"after repair: {problem}" for problem in fsck.check(store, name, repair=False)]
    if not was_new:
        OPERATIONS[operation](root)
    seen = snapshot(root)
    for name, expected in new.items():
        for key in ("aliases", "history"):
            if seen[name][key] != expected[key]:
                wrong.append(f"retry: {key} {seen[name][key]}")
        # A number that was given to a publish that died is not given again.
        if sorted(seen[name]["versions"].values()) != sorted(expected["versions"].values()):
            wrong.append(f"retry: versions {seen[name]['versions']}")
    for name in store.all_names():
        collecting.collect(store, name, Policy(99, 1e9, lease_s=0), dry_run=False)
        staging = store.home(name).staging
        wrong += [f"left: {path}" for path in (staging.iterdir() if staging.is_dir() else [])]
    return wrong


def is_between(seen: Snapshot, old: Snapshot, new: Snapshot, *, several: bool) -> bool:
    """Whether a state is the old or the new one; gc ends several versions, one after another."""
    if seen in (old, new):
        return True
    if not several:
        return False
    kept, before = seen["tales"]["versions"], old["tales"]["versions"]
    rest_is_same = all(seen["tales"][key] == old["tales"][key] for key in ("aliases", "history"))
    return rest_is_same and new["tales"]["versions"].items() <= kept.items() <= before.items()


def examine(directory: Path, operation: str, kind: str) -> dict[str, object]:
    """Fail one operation at every n-th change and report what was wrong afterwards."""
    directory.mkdir()
    seed, work = prepare(directory, operation), directory / "work"
    old = snapshot(seed) if operation != "repair" else {}
    shutil.copytree(seed, work)
    counter, changing = directory / "count", partial(OPERATIONS[operation], work)
    status, total = run(changing, "none", 0, counter)
    new = snapshot(work)
    wrong: dict[int, list[str]] = {}
    statuses: list[int] = []
    for at in range(1, total + 1):
        shutil.rmtree(work)
        shutil.copytree(seed, work)
        statuses.append(run(changing, kind, at, counter)[0])
        found = judge(work, operation, old, new)
        if found:
            wrong[at] = found
    return {
        "steps": total,
        "undisturbed": status,
        "changes": old != new,
        "statuses": statuses,
        "wrong": wrong,
    }


if __name__ == "__main__":
    place, fault_kind = Path(sys.argv[1]), sys.argv[2]
    reports = {name: examine(place / name, name, fault_kind) for name in OPERATIONS}
    sys.stdout.write(json.dumps(reports))
