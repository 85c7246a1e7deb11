"""A copy of a store in use is a whole store, or it is not there."""

import contextlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters import backup, fsck
from adapters.cli import main
from adapters.errors import BackupRefused
from adapters.problems import Problem
from adapters.store import Store
from tests.adapters.crashing import KILLED, REFUSED, snapshot
from tests.adapters.making import Adapter

ROOT = Path(__file__).resolve().parents[2]
NOTE = {"who": "tester", "why": "a backup"}
LEAST_BACKUPS = 3


@pytest.fixture
def source(adapter: Adapter, tmp_path: Path) -> Path:
    return adapter.write(tmp_path / "source")


@pytest.fixture
def filled(store: Store, adapter: Adapter, source: Path) -> Store:
    """Two adapters, three versions, aliases with a past, an evaluation, and the service's file."""
    for name in ("tales", "tales", "sums"):
        store.publish(name, source, adapter.draft(), base_dir=adapter.base)
    store.set_alias("tales", "stable", 1, expected=None, **NOTE)
    store.set_alias("tales", "stable", 2, expected=1, **NOTE)
    store.record_evaluation("tales", 2, {"right": 0.5})
    (store.root / "serving.json").write_text("{}")
    return store


def problems(store: Store) -> list[Problem]:
    return [
        problem for name in store.all_names() for problem in fsck.check(store, name, repair=False)
    ]


def test_a_backup_is_a_store_and_a_restored_one_goes_on(
    filled: Store, adapter: Adapter, source: Path, tmp_path: Path
) -> None:
    copied = backup.backup(filled, tmp_path / "backup")
    assert copied.versions == ["sums@1", "tales@1", "tales@2"]
    assert copied.left_out == []
    saved = Store(tmp_path / "backup")
    assert snapshot(saved.root) == snapshot(filled.root)
    before = sorted(saved.root.rglob("*"))
    backup.restore(saved.root, tmp_path / "restored")
    assert sorted(saved.root.rglob("*")) == before
    restored = Store(tmp_path / "restored")
    assert snapshot(restored.root) == snapshot(filled.root)
    assert (restored.root / "serving.json").read_text() == "{}"
    assert problems(restored) == problems(saved) == []
    assert restored.rollback("tales", "stable", **NOTE) == 1
    version = restored.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    assert version.number == 3


@contextlib.contextmanager
def racing(store: Store, adapter: Adapter, source: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that change the store, and end with the test."""
    command = [sys.executable, "-m", "tests.adapters.racing"]
    with contextlib.ExitStack() as stack:
        writers = []
        for role, count in (("publisher", 25), ("publisher", 25), ("mover", 60), ("collector", 25)):
            writer = subprocess.Popen(
                [*command, role, str(store.root), str(adapter.base), str(source), str(count)],
                cwd=ROOT,
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(writer)
            stack.callback(writer.kill)
            writers.append(writer)
        (store.root.parent / "go").touch()
        yield writers


def test_backups_under_publishers_movers_and_gc_are_whole(
    store: Store, adapter: Adapter, source: Path, tmp_path: Path
) -> None:
    """Every backup is restored; every version in it has its bytes, every alias its version."""
    for _ in range(3):
        store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    store.set_alias("tales", "stable", 2, expected=None, **NOTE)
    with racing(store, adapter, source) as writers:
        seen: list[Store] = []
        while any(writer.poll() is None for writer in writers):
            saved = tmp_path / f"backup-{len(seen)}"
            backup.backup(store, saved)
            backup.restore(saved, tmp_path / f"restored-{len(seen)}")
            seen.append(Store(tmp_path / f"restored-{len(seen)}"))
        results = [json.loads(writer.communicate()[0]) for writer in writers]
    assert all(results), "one of the writers changed nothing"
    assert len(seen) >= LEAST_BACKUPS
    assert len({str(snapshot(copy.root)) for copy in seen}) >= LEAST_BACKUPS
    for copy in seen:
        assert set(copy.aliases("tales").values()) <= set(copy.versions("tales"))
        assert problems(copy) == []


@pytest.mark.parametrize("kind", ["kill", "ENOSPC"])
def test_every_change_of_the_disk_may_be_the_last(kind: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.adapters.failing_backup", str(tmp_path / "x"), kind]
    (tmp_path / "x").mkdir()
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    report = json.loads(told.stdout)
    assert report["wrong"] == []
    assert report["statuses"][0] == 0
    assert len(report["statuses"]) > 20
    expected = {KILLED} if kind == "kill" else {0, REFUSED}
    assert set(report["statuses"][1:]) <= expected


def test_a_file_that_no_longer_fits_ends_it_with_one_message(filled: Store, tmp_path: Path) -> None:
    """The limit on the size of a file stands for a full disk."""
    limit = filled.version("tales", 1).manifest.files["adapter_model.safetensors"].size_bytes - 1
    told = subprocess.run(
        [
            sys.executable,
            "-m",
            "adapters",
            "backup",
            str(tmp_path / "backup"),
            "--store",
            str(filled.root),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert told.returncode == 2
    assert "EFBIG" in told.stderr
    assert "Traceback" not in told.stderr
    assert not list(tmp_path.glob("*backup*"))


@pytest.mark.parametrize("kind", ["file", "full", "link", "orphan", "inside"])
def test_a_place_that_is_taken_or_impossible_is_refused(
    filled: Store, tmp_path: Path, kind: str
) -> None:
    target = tmp_path / "backup"
    if kind == "file":
        target.touch()
    elif kind == "full":
        (target / "mine").mkdir(parents=True)
    elif kind == "link":
        target.symlink_to(tmp_path / "nowhere")
    elif kind == "orphan":
        target = tmp_path / "no" / "backup"
    else:
        target = filled.root / "backup"
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BackupRefused):
        backup.backup(filled, target)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_directory_is_filled(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    backup.backup(filled, tmp_path / "backup")
    assert snapshot(tmp_path / "backup") == snapshot(filled.root)


def test_a_store_is_not_restored_over(filled: Store, tmp_path: Path) -> None:
    backup.backup(filled, tmp_path / "backup")
    with pytest.raises(BackupRefused, match="not empty"):
        backup.restore(tmp_path / "backup", filled.root)


def test_where_no_store_is_nothing_is_copied(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for source in (tmp_path / "photos", tmp_path / "nowhere"):
        with pytest.raises(BackupRefused, match="no adapter was found"):
            backup.restore(source, tmp_path / "restored")


def test_what_is_damaged_is_left_out_and_named(
    filled: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = filled.home("tales").version(1) / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    (filled.home("tales").version(2) / "adapter_config.json").unlink()
    filled.home("sums").state.write_text("{")
    assert main(["backup", str(tmp_path / "backup"), "--store", str(filled.root)]) == 1
    told = capsys.readouterr().out
    assert told.count("left out: ") == 3
    assert "adapter_model.safetensors is not what was published" in told
    assert "0 version(s)" in told
    assert Store(tmp_path / "backup").all_names() == ["tales"]


def test_the_command_line_copies_there_and_back(
    filled: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved, again = str(tmp_path / "backup"), str(tmp_path / "restored")
    assert main(["backup", saved, "--store", str(filled.root), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["versions"] == ["sums@1", "tales@1", "tales@2"]
    assert told["size_bytes"] > 0
    assert main(["restore", saved, "--store", again]) == 0
    assert "3 version(s), " in capsys.readouterr().out
    assert main(["restore", saved, "--store", again]) == 2
    assert "not empty" in capsys.readouterr().err
