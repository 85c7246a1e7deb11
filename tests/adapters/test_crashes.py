"""Killed or failed at any change of the disk, a store holds the old state or the new one.

`FULL_TESTS=1` does it on the disk itself rather than in memory.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters import disk
from adapters.errors import StoreBusy, StoreWriteFailed
from adapters.store import Store
from tests.adapters.crashing import KILLED, OPERATIONS
from tests.adapters.making import Adapter

ROOT = Path(__file__).resolve().parents[2]
REFUSED = 3
# The statuses that an operation may end with, by what was done to it.
FAULTS = {
    "kill": {KILLED},
    "torn": {KILLED},
    "short": {0},
    "ENOSPC": {0, REFUSED},
    "EIO": {0, REFUSED},
}


@pytest.mark.parametrize("kind", FAULTS)
def test_every_change_may_be_the_last(
    kind: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tests.adapters.crashing", str(tmp_path), kind],
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    reports = json.loads(result.stdout)
    record_property("tries", sum(report["steps"] for report in reports.values()))
    record_property("wrong", sum(len(report["wrong"]) for report in reports.values()))
    assert set(reports) == set(OPERATIONS)
    for operation, report in reports.items():
        assert report["wrong"] == {}, operation
        assert report["undisturbed"] == 0
        assert report["changes"], f"{operation} changed nothing, so nothing was proven"
        assert report["steps"] >= 4
        assert set(report["statuses"]) <= FAULTS[kind], f"{operation}: {result.stderr}"


def test_a_full_disk_is_reported_and_not_only_survived(tmp_path: Path) -> None:
    with (
        pytest.raises(StoreWriteFailed, match=r"Publishing tales failed: ENOSPC.*Free space"),
        disk.reported("Publishing tales"),
    ):
        raise OSError(28, "No space left on device", "x")


def test_names_become_durable_only_after_their_content(
    adapter: Adapter, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order that survives a power cut: file, its directory, the rename, the parent."""
    source = adapter.write(tmp_path / "source")
    calls: list[tuple[str, str]] = []

    def spy(name: str) -> None:
        real = getattr(os, name)

        def call(*args: object, **kwargs: object) -> object:
            first = args[0]
            if isinstance(first, int):
                first = Path(f"/proc/self/fd/{first}").readlink()
            calls.append((name, str(first)))
            return real(*args, **kwargs)

        monkeypatch.setattr(os, name, call)

    for name in ("fsync", "rename", "replace", "write"):
        spy(name)
    version = store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    home = store.home("tales")
    rename = next(index for index, call in enumerate(calls) if call[0] == "rename")
    stage = calls[rename][1]
    for file in [*version.manifest.files, "manifest.json"]:
        written = max(i for i, call in enumerate(calls) if call == ("write", f"{stage}/{file}"))
        synced = calls.index(("fsync", f"{stage}/{file}"))
        assert written < synced < calls.index(("fsync", stage)) < rename
    assert calls.index(("fsync", f"{stage}/manifest.json")) > calls.index(
        ("fsync", f"{stage}/adapter_model.safetensors")
    )
    assert ("fsync", str(home.versions)) in calls[rename:]


def test_the_lock_of_a_killed_writer_is_free(
    store: Store, adapter: Adapter, tmp_path: Path
) -> None:
    source = adapter.write(tmp_path / "source")
    store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    lock = store.home("tales").lock
    code = (
        "import pathlib, sys; from adapters import disk\n"
        "with disk.locked(pathlib.Path(sys.argv[1]), 1):\n    print('locked', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(lock)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    impatient = Store(store.root, lock_timeout_s=0.05)
    with pytest.raises(StoreBusy, match=r"was locked by another process for 0\.05 s"):
        impatient.record_evaluation("tales", 1, {})
    holder.kill()
    holder.communicate()
    impatient.record_evaluation("tales", 1, {})
