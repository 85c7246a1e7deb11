"""A store that is well, and stores that are not: damaged, locked, unwritable, full, left behind."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters import disk
from adapters.store import Store
from service.doctor import stores
from service.doctor.finding import Finding
from tests.service.tiny_store import make_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path)[0]


def named(found: Sequence[Finding], name: str) -> Finding:
    return next(finding for finding in found if finding.name == name)


def test_a_store_that_is_well_is_left_as_it_was(store: Store) -> None:
    before = sorted(store.root.rglob("*"))
    found = stores.check(store.root)
    assert {finding.state for finding in found} == {"ok"}
    assert named(found, "adapters").found == "2 version(s), 2 read whole"
    assert sorted(store.root.rglob("*")) == before


def test_a_store_that_is_not_there_yet_is_well(tmp_path: Path) -> None:
    found = stores.check(tmp_path / "later" / "store")
    assert [finding.state for finding in found] == ["ok", "ok", "not applicable", "not applicable"]
    assert not (tmp_path / "later").exists()


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    assert stores.check(tmp_path / "store")[0].state == "failed"


def test_where_nobody_may_write_is_no_store() -> None:
    """The kernel's own file system refuses even root."""
    found = named(stores.check(Path("/proc/self")), "store")
    assert found.state == "failed"
    assert "cannot be written" in found.found


def test_changed_weights_are_found(store: Store) -> None:
    path = store.home("alpha").version(2) / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    found = named(stores.check(store.root), "adapters")
    assert found.state == "failed"
    assert "alpha@2: [file_changed]" in found.found
    assert "fsck" in found.remedy


def test_a_changed_manifest_and_unreadable_records_are_found(store: Store) -> None:
    manifest = store.home("alpha").version(2) / "manifest.json"
    manifest.write_text(manifest.read_text() + " ")
    assert "its manifest changed" in named(stores.check(store.root), "adapters").found
    store.home("alpha").state.write_text("{")
    assert named(stores.check(store.root), "adapters").state == "failed"


def test_an_alias_to_nowhere_is_found(store: Store) -> None:
    shutil.rmtree(store.home("alpha").version(1))
    found = named(stores.check(store.root), "adapters")
    assert "alpha@stable points at version 1, which is not there" in found.found


def test_what_there_is_no_time_to_hash_is_said(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "HASHING_S", 0.0)
    assert "2 version(s), 0 read whole" in named(stores.check(store.root), "adapters").found


def test_a_writer_that_holds_an_adapter_is_named(store: Store) -> None:
    with disk.locked(store.home("alpha").lock, 1):
        found = named(stores.check(store.root), "locks")
    assert found.state == "warning"
    assert f"process {os.getpid()}" in found.found
    assert named(stores.check(store.root), "locks").state == "ok"


def test_what_a_dead_writer_left_is_named(store: Store) -> None:
    left = store.home("alpha").staging / "0123"
    left.mkdir(parents=True)
    os.utime(left, (0, 0))
    found = named(stores.check(store.root), "locks")
    assert found.state == "warning"
    assert str(left) in found.found
    assert "gc" in found.remedy


@pytest.mark.parametrize(
    ("scarce", "full", "state"), [(1 << 60, 0, "warning"), (1 << 60, 1 << 60, "failed")]
)
def test_too_little_space_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch, scarce: int, full: int, state: str
) -> None:
    monkeypatch.setattr(stores, "SCARCE_BYTES", scarce)
    monkeypatch.setattr(stores, "FULL_BYTES", full)
    assert named(stores.check(store.root), "store space").state == state


def test_a_file_system_without_exclusive_locks_is_no_place(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "try_lock", lambda descriptor: True)
    found = named(stores.check(store.root), "store")
    assert found.state == "failed"
    assert "two writers have one lock" in found.found
