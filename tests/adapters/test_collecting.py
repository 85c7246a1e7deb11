"""gc removes what nobody needs and nothing else."""

import os
import socket
import subprocess
import sys
import time
from datetime import datetime, tzinfo
from pathlib import Path

import pytest

from adapters import collecting, records, staging
from adapters.collecting import Policy
from adapters.errors import StoreWriteFailed, UnknownAdapter
from adapters.store import Store
from tests.adapters.making import Adapter

ROOT = Path(__file__).resolve().parents[2]
NOTE = {"who": "tester", "why": "a test"}
OLD = Policy(keep_targets=2, min_age_s=0, lease_s=0)


@pytest.fixture
def filled(store: Store, adapter: Adapter, tmp_path: Path) -> Store:
    """Six versions; stable went 1, 2, 3, 4 and candidate is 5."""
    source = adapter.write(tmp_path / "source")
    for _ in range(6):
        store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    for old, new in ((None, 1), (1, 2), (2, 3), (3, 4)):
        store.set_alias("tales", "stable", new, expected=old, **NOTE)
    store.set_alias("tales", "candidate", 5, expected=None, **NOTE)
    return store


def reasons(found: collecting.Collection) -> dict[str, str]:
    return {verdict.version: verdict.why for verdict in found.verdicts}


def test_aliases_and_their_last_targets_stay(filled: Store) -> None:
    found = collecting.collect(filled, "tales", OLD, dry_run=False)
    assert reasons(found) == {
        "tales@1": "no alias needs it and nobody holds it",
        "tales@2": "no alias needs it and nobody holds it",
        "tales@3": "one of the last targets of stable",
        "tales@4": "stable points at it",
        "tales@5": "candidate points at it",
        "tales@6": "no alias needs it and nobody holds it",
    }
    assert filled.versions("tales") == [3, 4, 5]
    with pytest.raises(UnknownAdapter):
        filled.version("tales", 1)
    assert filled.rollback("tales", "stable", **NOTE) == 3


def test_a_dry_run_says_the_same_and_removes_nothing(filled: Store) -> None:
    dry = collecting.collect(filled, "tales", OLD, dry_run=True)
    assert filled.versions("tales") == [1, 2, 3, 4, 5, 6]
    assert collecting.collect(filled, "tales", OLD, dry_run=False) == dry


def test_what_is_held_stays_until_it_is_released(filled: Store) -> None:
    with filled.hold("tales", 1, who="service") as hold:
        found = collecting.collect(filled, "tales", OLD, dry_run=False)
        assert reasons(found)["tales@1"].startswith(f"held by service (process {os.getpid()}")
        assert filled.versions("tales") == [1, 3, 4, 5]
    hold.release()
    collecting.collect(filled, "tales", OLD, dry_run=False)
    assert filled.versions("tales") == [3, 4, 5]
    assert list(filled.home("tales").holds.iterdir()) == []


def test_every_holder_is_named(filled: Store) -> None:
    with filled.hold("tales", 1, who="service"), filled.hold("tales", 1, who="service"):
        why = reasons(collecting.collect(filled, "tales", OLD, dry_run=True))["tales@1"]
    process = f"service (process {os.getpid()} on {socket.gethostname()})"
    assert why == f"held by {process}, {process}"


def test_a_dead_holder_holds_nothing(filled: Store) -> None:
    code = (
        "import os, pathlib, sys; from adapters.store import Store\n"
        "Store(pathlib.Path(sys.argv[1])).hold('tales', 1, who='doomed'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(filled.root)], cwd=ROOT, check=True)
    assert len(list(filled.home("tales").holds.iterdir())) == 1
    collecting.collect(filled, "tales", OLD, dry_run=False)
    assert filled.versions("tales") == [3, 4, 5]


def test_the_young_stay(filled: Store) -> None:
    found = collecting.collect(filled, "tales", Policy(min_age_s=60), dry_run=False)
    assert reasons(found)["tales@6"].endswith("too young")
    assert filled.versions("tales") == [1, 2, 3, 4, 5, 6]


def test_leftovers_go_after_their_lease_unless_their_writer_lives(filled: Store) -> None:
    home = filled.home("tales")
    old, young = home.staging / "old", home.staging / "young"
    for directory in (old, young):
        directory.mkdir()
        (directory / "adapter_config.json").write_text("{}")
    torn = home.path / ".state.json.abc"
    torn.write_text("{")
    past = time.time() - 7200
    os.utime(old, (past, past))
    os.utime(torn, (past, past))
    found = collecting.collect(filled, "tales", Policy(lease_s=3600), dry_run=False)
    assert found.leftovers == [str(torn), str(old)]
    assert [path.name for path in home.staging.iterdir()] == ["young"]
    assert not torn.exists()


def test_a_clock_that_was_ahead_removes_nothing(filled: Store) -> None:
    """What seems to come from the future is young, whatever the limit."""
    leftover = filled.home("tales").staging / "left"
    leftover.mkdir()
    future = time.time() + 365 * 86400
    os.utime(leftover, (future, future))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collecting, "datetime", LongAgo)
        found = collecting.collect(filled, "tales", OLD, dry_run=False)
    assert [verdict.version for verdict in found.verdicts if verdict.remove] == []
    assert found.leftovers == []
    assert filled.versions("tales") == [1, 2, 3, 4, 5, 6]


class LongAgo(datetime):
    """A clock that was set back."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "LongAgo":
        return cls(2000, 1, 1, tzinfo=tz)


def test_an_adapter_that_never_was_needs_no_collecting(store: Store) -> None:
    assert collecting.collect(store, "nobody", OLD, dry_run=False) == collecting.Collection()


def test_defaults_are_generous() -> None:
    assert (Policy().keep_targets, Policy().min_age_s, Policy().lease_s) == (3, 604_800, 3600)


def test_a_verdict_says_how_much_a_version_takes(filled: Store) -> None:
    found = collecting.collect(filled, "tales", Policy(), dry_run=True)
    path = filled.version("tales", 1).path
    files = [entry for entry in path.iterdir() if entry.name != "manifest.json"]
    assert found.verdicts[0].size_bytes == sum(entry.stat().st_size for entry in files)
    today = filled.version("tales", 1).manifest.created
    assert reasons(found)["tales@6"] == f"published {today:%Y-%m-%d}, too young"
    assert reasons(found)["tales@2"] == "one of the last targets of stable"


def test_what_was_removed_is_gone_from_the_records_and_from_the_disk(filled: Store) -> None:
    collecting.collect(filled, "tales", OLD, dry_run=False)
    home = filled.home("tales")
    assert sorted(records.load(home).manifests) == [3, 4, 5]
    assert records.load(home).next_version == 7
    assert home.numbers_on_disk() == [3, 4, 5]
    assert list(home.staging.iterdir()) == []
    assert collecting.collect(filled, "tales", OLD, dry_run=False).leftovers == []


def test_a_disk_that_refuses_is_named_with_what_was_done(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(StoreWriteFailed, match=r"^Collecting tales failed: EROFS"):
        collecting.collect(filled, "tales", OLD, dry_run=False)
    assert filled.versions("tales") == [1, 2, 3, 4, 5, 6]


def test_a_leftover_that_is_a_link_stops_the_sweep_and_is_not_followed(filled: Store) -> None:
    outside = filled.root / "outside"
    outside.mkdir()
    (filled.home("tales").staging / "link").symlink_to(outside)
    with pytest.raises(StoreWriteFailed, match="Collecting tales failed: ELOOP"):
        collecting.collect(filled, "tales", Policy(lease_s=0), dry_run=False)
    assert outside.is_dir()


def test_a_leftover_that_goes_by_itself_is_no_error(filled: Store) -> None:
    gone = filled.home("tales").staging / "gone"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, "_entries", lambda _: [gone])
        assert staging.leftovers(filled.home("tales"), 0) == []
    staging.sweep([gone])


def test_without_a_staging_directory_nothing_is_left(store: Store) -> None:
    assert staging.leftovers(store.home("nobody"), 0) == []


def test_a_leftover_as_old_as_its_lease_goes(filled: Store) -> None:
    home = filled.home("tales")
    directory = home.staging / "left"
    directory.mkdir()
    found = collecting.collect(filled, "tales", Policy(lease_s=0), dry_run=True)
    assert found.leftovers == [str(directory)]
    assert directory.exists()
    collecting.collect(filled, "tales", Policy(lease_s=0), dry_run=False)
    assert not directory.exists()
