"""The store: what publish, resolve, aliases, history and evaluations promise."""

import errno
import json
import os
from pathlib import Path

import pytest

from adapters import gate
from adapters.errors import (
    AdapterRefused,
    AliasConflict,
    InvalidReference,
    NoPreviousTarget,
    StoreDamaged,
    StoreWriteFailed,
    UnknownAdapter,
    VersionDamaged,
)
from adapters.store import Store, Version
from tests.adapters.making import Adapter

WHO = {"who": "tester", "why": "a test"}


@pytest.fixture
def publish(store: Store, adapter: Adapter, tmp_path: Path) -> "Publish":
    return Publish(store, adapter, tmp_path / "source")


class Publish:
    """Publishes the same good adapter again and again."""

    def __init__(self, store: Store, adapter: Adapter, source: Path) -> None:
        self.store, self.adapter, self.source = store, adapter, source

    def __call__(self, name: str = "tales") -> Version:
        self.adapter.write(self.source)
        return self.store.publish(
            name, self.source, self.adapter.draft(), base_dir=self.adapter.base
        )


def test_a_published_version_is_a_plain_directory_with_the_same_bytes(publish: Publish) -> None:
    version = publish()
    assert str(version) == "tales@1"
    assert sorted(path.name for path in version.path.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "manifest.json",
    ]
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        assert (version.path / name).read_bytes() == (publish.source / name).read_bytes()
    assert gate.check(version.path, publish.adapter.base) == []


def test_the_manifest_repeats_the_draft_and_adds_digests(publish: Publish) -> None:
    manifest = publish().manifest
    assert manifest.draft() == publish.adapter.draft()
    assert set(manifest.files) == {"adapter_config.json", "adapter_model.safetensors"}
    assert manifest.created.utcoffset() is not None


def test_numbers_count_up_per_name(publish: Publish) -> None:
    assert [publish().number, publish().number, publish("other").number] == [1, 2, 1]
    assert publish.store.names() == ["other", "tales"]
    assert publish.store.versions("tales") == [1, 2]


def test_a_number_is_not_given_again_after_the_version_is_gone(publish: Publish) -> None:
    publish()
    gone = publish()
    for path in gone.path.iterdir():
        path.unlink()
    gone.path.rmdir()
    assert publish.store.versions("tales") == [1]
    assert publish().number == 3


def test_a_state_that_lags_behind_gives_no_number_again(publish: Publish) -> None:
    """As after a state file was restored from a backup."""
    publish()
    home = publish.store.home("tales")
    before = home.state.read_bytes()
    publish()
    home.state.write_bytes(before)
    assert publish.store.versions("tales") == [1]
    assert publish().number == 3


def test_a_refused_adapter_leaves_nothing_behind(publish: Publish) -> None:
    publish.adapter.config["use_dora"] = True
    with pytest.raises(AdapterRefused, match="DoRA is not served") as refused:
        publish()
    assert [finding.code for finding in refused.value.findings] == ["dora"]
    assert publish.store.names() == []
    assert list((publish.store.root / "tales" / "staging").iterdir()) == []


def test_a_draft_that_disagrees_with_the_adapter_is_refused(publish: Publish) -> None:
    publish.adapter.write(publish.source)
    draft = publish.adapter.draft()
    wrong = draft.model_copy(update={"lora": draft.lora.model_copy(update={"rank": 8})})
    with pytest.raises(AdapterRefused, match=r"rank 8, adapter_config\.json says 4"):
        publish.store.publish("tales", publish.source, wrong, base_dir=publish.adapter.base)


def test_references_resolve_to_versions(publish: Publish) -> None:
    publish(), publish(), publish()
    store = publish.store
    store.set_alias("tales", "stable", 2, expected=None, **WHO)
    store.set_alias("tales", "candidate", 3, expected=None, **WHO)
    found = {ref: store.resolve(ref).number for ref in ("tales", "tales@stable", "tales@1")}
    assert found == {"tales": 2, "tales@stable": 2, "tales@1": 1}
    assert store.resolve("tales@candidate").number == 3


@pytest.mark.parametrize("ref", ["tales", "tales@9", "tales@candidate", "other", "other@1"])
def test_what_is_not_there_is_named_with_what_is(publish: Publish, ref: str) -> None:
    publish()
    with pytest.raises(UnknownAdapter, match=r"It holds .*Name one of these"):
        publish.store.resolve(ref)


@pytest.mark.parametrize(
    "ref", ["", "../x", "Tales", "a/b", "a@", "a@-1", "a@@1", "x" * 65, ".hidden", "a b", "a\n"]
)
def test_malformed_references_are_refused(store: Store, ref: str) -> None:
    with pytest.raises(InvalidReference):
        store.resolve(ref)


def test_an_alias_moves_only_from_where_the_caller_expects(publish: Publish) -> None:
    publish(), publish()
    store = publish.store
    store.set_alias("tales", "stable", 1, expected=None, **WHO)
    with pytest.raises(AliasConflict, match="points at version 1, expected nothing"):
        store.set_alias("tales", "stable", 2, expected=None, **WHO)
    with pytest.raises(AliasConflict, match="points at version 1, expected version 2"):
        store.set_alias("tales", "stable", 2, expected=2, **WHO)
    store.set_alias("tales", "stable", 2, expected=1, **WHO)
    assert store.aliases("tales") == {"stable": 2}
    changes = [(change.alias, change.old, change.new) for change in store.history("tales")]
    assert changes == [("stable", None, 1), ("stable", 1, 2)]
    assert {(change.who, change.why) for change in store.history("tales")} == {("tester", "a test")}


def test_an_alias_cannot_point_at_what_is_not_there(publish: Publish) -> None:
    publish()
    with pytest.raises(UnknownAdapter):
        publish.store.set_alias("tales", "stable", 2, expected=None, **WHO)


def test_rollback_goes_to_the_previous_target_and_is_itself_a_change(publish: Publish) -> None:
    publish(), publish()
    store = publish.store
    store.set_alias("tales", "stable", 1, expected=None, **WHO)
    with pytest.raises(NoPreviousTarget):
        store.rollback("tales", "stable", **WHO)
    store.set_alias("tales", "stable", 2, expected=1, **WHO)
    assert store.rollback("tales", "stable", **WHO) == 1
    assert store.resolve("tales").number == 1
    assert [change.new for change in store.history("tales")] == [1, 2, 1]


def test_evaluations_grow_beside_the_version(publish: Publish) -> None:
    version = publish()
    before = (version.path / "manifest.json").read_bytes()
    publish.store.record_evaluation("tales", 1, {"correct": 0.5})
    publish.store.record_evaluation("tales", 1, {"correct": 0.75})
    found = [record.results for record in publish.store.evaluations("tales", 1)]
    assert found == [{"correct": 0.5}, {"correct": 0.75}]
    assert (version.path / "manifest.json").read_bytes() == before


def test_a_torn_line_was_never_there(publish: Publish) -> None:
    publish()
    publish.store.record_evaluation("tales", 1, {"correct": 0.5})
    path = publish.store.home("tales").evaluations(1)
    path.write_bytes(path.read_bytes() + b'{"recorded": "20')
    assert len(publish.store.evaluations("tales", 1)) == 1
    publish.store.record_evaluation("tales", 1, {"correct": 0.75})
    assert len(publish.store.evaluations("tales", 1)) == 2


def test_a_changed_manifest_is_noticed(publish: Publish) -> None:
    version = publish()
    path = version.path / "manifest.json"
    document = json.loads(path.read_text())
    document["probes"] = ["other"]
    path.write_text(json.dumps(document))
    with pytest.raises(VersionDamaged, match="changed after it was published"):
        publish.store.resolve("tales@1")


def test_a_changed_weight_is_found_at_load(publish: Publish) -> None:
    version = publish()
    path = version.path / "adapter_model.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    codes = [finding.code for finding in gate.check(version.path, publish.adapter.base)]
    assert codes == ["file_changed"]


def test_a_lost_state_is_an_error_and_not_an_empty_store(publish: Publish) -> None:
    publish()
    publish.store.home("tales").state.unlink()
    with pytest.raises(StoreDamaged, match="it is gone, but there are versions"):
        publish()


def test_a_store_on_a_read_only_disk_can_be_read(
    publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    store = publish.store
    store.set_alias("tales", "stable", 1, expected=None, **WHO)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    real = os.open

    def open_for_reading(path: Path, flags: int, *mode: int) -> int:
        if flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR):
            refuse()
        return real(path, flags, *mode)

    monkeypatch.setattr(os, "open", open_for_reading)
    for name in ("mkdir", "rename", "replace", "unlink", "fsync"):
        monkeypatch.setattr(os, name, refuse)
    assert store.resolve("tales").number == 1
    assert [version.number for version in store.all_versions("tales")] == [1]
    assert [change.new for change in store.history("tales")] == [1]
    assert gate.check(store.resolve("tales").path, publish.adapter.base) == []
    with pytest.raises(StoreWriteFailed, match="Publishing tales failed: EROFS"):
        publish()
    with pytest.raises(StoreWriteFailed, match="Moving tales@stable failed: EROFS"):
        store.set_alias("tales", "stable", 1, expected=1, **WHO)
