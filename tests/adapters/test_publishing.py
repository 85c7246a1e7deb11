"""What a publish writes, in which bounds, and what it says when it does not."""

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters import collecting, disk, publishing, records
from adapters.errors import AdapterRefused, StoreBusy, StoreWriteFailed
from adapters.layout import Home
from adapters.manifest import Draft, content_sha256
from adapters.store import Store, Version
from tests.adapters.making import Adapter, make_adapter


@pytest.fixture
def source(adapter: Adapter, tmp_path: Path) -> Path:
    adapter.extra = {"README.md": b"# tales"}
    return adapter.write(tmp_path / "source")


def test_a_version_holds_what_was_given_and_its_digests(
    store: Store, adapter: Adapter, source: Path
) -> None:
    version = store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    manifest = version.manifest
    assert sorted(manifest.files) == sorted(path.name for path in source.iterdir())
    for name, found in manifest.files.items():
        content = (source / name).read_bytes()
        assert (version.path / name).read_bytes() == content
        assert found.sha256 == hashlib.sha256(content).hexdigest()
        assert found.size_bytes == len(content)
    assert manifest.content_sha256 == content_sha256(manifest.files)
    assert timedelta(0) <= datetime.now(UTC) - manifest.created < timedelta(minutes=5)
    assert (manifest.name, manifest.version) == ("tales", 1)
    raw = (version.path / "manifest.json").read_bytes()
    assert raw.endswith(b"\n}\n")
    assert raw.startswith(b'{\n  "')
    state = records.load(store.home("tales"))
    assert state.manifests == {1: hashlib.sha256(raw).hexdigest()}
    assert state.next_version == 2


def test_the_manifest_of_another_store_does_not_come_along(
    store: Store, adapter: Adapter, source: Path
) -> None:
    first = store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    again = store.publish("other", first.path, adapter.draft(), base_dir=adapter.base)
    assert (again.name, again.number) == ("other", 1)
    assert again.manifest.name == "other"
    assert "manifest.json" not in again.manifest.files


def test_the_next_number_is_above_all_that_were_seen(tmp_path: Path) -> None:
    home = Home(tmp_path / "tales")
    assert publishing.next_number(home, records.State()) == 1
    assert publishing.next_number(home, records.State(next_version=7)) == 7
    home.version(7).mkdir(parents=True)
    assert publishing.next_number(home, records.State(next_version=7)) == 8
    assert publishing.next_number(home, records.State(next_version=9)) == 9


def test_a_refusal_names_the_source_and_every_finding(
    store: Store, adapter: Adapter, source: Path
) -> None:
    adapter.config |= {"use_dora": True, "bias": "all"}
    adapter.write(source)
    with pytest.raises(AdapterRefused) as refused:
        store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    lines = str(refused.value).splitlines()
    assert lines[0] == f"The adapter in {source} is refused, 2 finding(s), expected none:"
    assert [line.split("]")[0].strip() for line in lines[1:3]] == ["[bias", "[dora"]
    assert lines[3] == "Mend what each line names, then try again."
    assert [finding.code for finding in refused.value.findings] == ["bias", "dora"]
    assert list(store.home("tales").staging.iterdir()) == []


def test_what_the_directory_shows_is_refused_before_anything_is_copied(
    store: Store, adapter: Adapter, source: Path
) -> None:
    (source / "training_args.bin").write_bytes(b"x")
    with pytest.raises(AdapterRefused, match=f"The adapter in {source} is refused, 1 finding"):
        store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    assert not store.home("tales").path.exists()


def test_the_engines_rank_bounds_what_is_published(
    store: Store, base: Path, tmp_path: Path
) -> None:
    adapter = make_adapter(base, rank=8)
    source = adapter.write(tmp_path / "source")
    draft = adapter.draft()
    assert store.publish("tales", source, draft, base_dir=base, max_rank=8).number == 1
    with pytest.raises(AdapterRefused) as refused:
        store.publish("tales", source, draft, base_dir=base, max_rank=7)
    assert [finding.code for finding in refused.value.findings] == ["rank_too_high"]


def test_a_draft_about_another_base_is_refused(
    store: Store, adapter: Adapter, source: Path
) -> None:
    draft = adapter.draft()
    other = draft.base.model_copy(update={"config_sha256": "0" * 64, "tokenizer_sha256": "1" * 64})
    with pytest.raises(AdapterRefused) as refused:
        store.publish(
            "tales", source, draft.model_copy(update={"base": other}), base_dir=adapter.base
        )
    codes = [finding.code for finding in refused.value.findings]
    assert codes == ["base_config_differs", "tokenizer_differs"]


def test_a_publish_waits_for_the_lock_no_longer_than_agreed(
    store: Store, adapter: Adapter, source: Path
) -> None:
    store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    hasty = Store(store.root, lock_timeout_s=0.1)
    began = time.monotonic()
    with store.locked("tales"), pytest.raises(StoreBusy, match=r"for 0\.1 s, expected it"):
        hasty.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    assert time.monotonic() - began >= 0.1
    assert list(store.home("tales").staging.iterdir()) == []
    assert store.versions("tales") == [1]


def test_a_disk_that_refuses_is_named_with_what_was_done(
    store: Store, adapter: Adapter, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device", "manifest.json")

    monkeypatch.setattr(disk, "write_new", refuse)
    with pytest.raises(StoreWriteFailed, match=r"^Publishing tales failed: ENOSPC"):
        store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    assert store.names() == []
    assert json.loads((source / "adapter_config.json").read_text())["r"] == 4


def test_a_version_that_gc_takes_at_once_was_published_all_the_same(
    store: Store, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = adapter.write(tmp_path / "source")
    kept = store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    assert kept == store.version("tales", 1)
    real = publishing.publish

    def publish_and_collect(
        home: Home, source: Path, draft: Draft, *, base_dir: Path, max_rank: int, timeout_s: float
    ) -> Version:
        published = real(
            home, source, draft, base_dir=base_dir, max_rank=max_rank, timeout_s=timeout_s
        )
        collecting.collect(store, "tales", collecting.Policy(1, 0, 0), dry_run=False)
        return published

    monkeypatch.setattr(publishing, "publish", publish_and_collect)
    assert store.publish("tales", source, adapter.draft(), base_dir=adapter.base).number == 2
    assert store.versions("tales") == []
