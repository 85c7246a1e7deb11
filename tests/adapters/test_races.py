"""Several processes on one store: nothing is lost, one wins, nobody reads half of anything.

`FULL_TESTS=1` runs the long form, on the disk itself rather than in memory.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters import fsck
from adapters.store import Store
from tests.adapters.making import Adapter

ROOT = Path(__file__).resolve().parents[2]
FULL = os.environ.get("FULL_TESTS") == "1"
LENGTH = 5 if FULL else 1
NOTE = {"who": "tester", "why": "a race"}


@pytest.fixture
def source(adapter: Adapter, tmp_path: Path) -> Path:
    return adapter.write(tmp_path / "source")


def race(store: Store, adapter: Adapter, source: Path, *roles: tuple[str, int]) -> list[Any]:
    """Start every role, let them go at once and return what each printed."""
    go = store.root.parent / "go"
    go.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.adapters.racing"]
    runners = [
        subprocess.Popen(
            [*command, role, str(store.root), str(adapter.base), str(source), str(count)],
            cwd=ROOT,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for role, count in roles
    ]
    go.touch()
    results = []
    for runner in runners:
        out, err = runner.communicate(timeout=240 * LENGTH)
        assert runner.returncode == 0, err
        results.append(json.loads(out))
    return results


def test_two_trainers_publish_one_name(
    store: Store, adapter: Adapter, source: Path, record_property: Callable[[str, object], None]
) -> None:
    count = 50
    first, second = race(store, adapter, source, ("publisher", count), ("publisher", count))
    record_property("tries", 2 * count)
    record_property("lost", 2 * count - len(store.versions("tales")))
    assert sorted(first + second) == list(range(1, 2 * count + 1))
    assert store.versions("tales") == list(range(1, 2 * count + 1))
    assert fsck.check(store, "tales", repair=False) == []


def test_of_eight_promoters_one_wins_each_move(
    store: Store, adapter: Adapter, source: Path, record_property: Callable[[str, object], None]
) -> None:
    for _ in range(5):
        store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    store.set_alias("tales", "stable", 1, expected=None, **NOTE)
    won = race(store, adapter, source, *[("promoter", 10 * LENGTH)] * 8)
    changes = [(change.old, change.new) for change in store.history("tales")][1:]
    record_property("tries", len(changes))
    record_property("lost", sum(map(len, won)) - len(changes))
    assert Counter(changes) == Counter(tuple(move) for moves in won for move in moves)
    assert [old for old, _ in changes] == [1, *(new for _, new in changes)][:-1]
    assert store.aliases("tales") == {"stable": changes[-1][1]}


def test_gc_takes_nothing_from_readers_and_publishers(
    store: Store, adapter: Adapter, source: Path
) -> None:
    for _ in range(5):
        store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    store.set_alias("tales", "stable", 2, expected=None, **NOTE)
    published, removed, read, _ = race(
        store,
        adapter,
        source,
        ("publisher", 10 * LENGTH),
        ("collector", 30 * LENGTH),
        ("reader", 30 * LENGTH),
        ("wanderer", 10 * LENGTH),
    )
    assert set(read) == {2}
    assert "tales@2" not in removed
    given = {f"tales@{number}" for number in [1, 2, 3, 4, 5, *published]}
    left = {f"tales@{number}" for number in store.versions("tales")}
    assert left | set(removed) == given
    assert left.isdisjoint(removed)
    assert len(removed) == len(set(removed))
    assert fsck.check(store, "tales", repair=False) == []
