"""One of several processes that work on one store at once.

    python -m tests.adapters.racing ROLE STORE BASE SOURCE COUNT

prints what it got as JSON, after it saw the file that starts everybody.
"""

import contextlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from adapters import collecting, gate
from adapters.collecting import Policy
from adapters.errors import AliasConflict, UnknownAdapter
from adapters.store import Store
from tests.adapters.making import make_adapter

NAME = "tales"


def publisher(store: Store, base: Path, source: Path, count: int) -> list[int]:
    draft = make_adapter(base).draft()
    return [store.publish(NAME, source, draft, base_dir=base).number for _ in range(count)]


def promoter(store: Store, base: Path, source: Path, count: int) -> list[tuple[int, int]]:
    """Moves it won, as old and new target, each decided on what it saw."""
    won = []
    for attempt in range(count):
        old = store.aliases(NAME)["stable"]
        new = 1 + (old + attempt) % 5
        try:
            store.set_alias(NAME, "stable", new, expected=old, who=source.name, why="a race")
        except AliasConflict:
            continue
        won.append((old, new))
    return won


def mover(store: Store, base: Path, source: Path, count: int) -> list[int]:
    """Points an alias at whatever is newest, whether or not gc or another mover is faster."""
    moved = []
    for _ in range(count):
        newest, old = max(store.versions(NAME)), store.aliases(NAME).get("newest")
        with contextlib.suppress(AliasConflict, UnknownAdapter):
            store.set_alias(NAME, "newest", newest, expected=old, who="mover", why="a race")
            moved.append(newest)
    return moved


def reader(store: Store, base: Path, source: Path, count: int) -> list[int]:
    """Versions seen through the alias; each held, then read whole."""
    seen = []
    for _ in range(count):
        version = store.resolve(NAME)
        with store.hold(NAME, version.number, who="reader"):
            assert gate.check(version.path, base) == []
        seen.append(version.number)
    return seen


def collector(store: Store, base: Path, source: Path, count: int) -> list[str]:
    """Versions it removed while others read and publish."""
    removed = []
    for _ in range(count):
        policy = Policy(keep_targets=1, min_age_s=0, lease_s=0)
        found = collecting.collect(store, NAME, policy, dry_run=False)
        removed += [verdict.version for verdict in found.verdicts if verdict.remove]
    return removed


def wanderer(store: Store, base: Path, source: Path, count: int) -> list[int]:
    """Holds any version there is; one that gc took between look and hold is a clean miss."""
    held = []
    for _ in range(count):
        for number in store.versions(NAME):
            try:
                with store.hold(NAME, number, who="wanderer") as _:
                    assert gate.check(store.version(NAME, number).path, base) == []
                    held.append(number)
            except UnknownAdapter:
                continue
    return held


ROLES: dict[str, Callable[[Store, Path, Path, int], object]] = {
    function.__name__: function
    for function in (publisher, promoter, mover, reader, collector, wanderer)
}

if __name__ == "__main__":
    role, (root, base_dir, source_dir), rounds = sys.argv[1], map(Path, sys.argv[2:5]), sys.argv[5]
    while not (root.parent / "go").exists():
        time.sleep(0.001)
    sys.stdout.write(json.dumps(ROLES[role](Store(root), base_dir, source_dir, int(rounds))))
