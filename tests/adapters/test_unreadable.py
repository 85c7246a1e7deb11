"""A disk that fails while an adapter is read is a finding or a sentence, never a crash."""

import errno
import os
from pathlib import Path

import pytest

from adapters import gate, records
from adapters.errors import ImportRefused, StoreDamaged, StoreWriteFailed, VersionDamaged
from adapters.exporting import export
from adapters.importing import import_adapter
from adapters.store import Store
from tests.adapters.making import Adapter

FILES = ["adapter_config.json", "adapter_model.safetensors", "manifest.json", "tokenizer.json"]


def fail_reading(patch: pytest.MonkeyPatch, name: str, number: int = errno.EIO) -> None:
    """From now on the disk fails for files of this name."""
    for function in ("read", "pread"):
        real = getattr(os, function)

        def call(descriptor: int, *args: int, real: object = real) -> bytes:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            if path.name == name and path.parent.name != "tiny-llama":
                raise OSError(number, os.strerror(number), name)
            assert callable(real)
            content: bytes = real(descriptor, *args)
            return content

        patch.setattr(os, function, call)


@pytest.fixture
def published(adapter: Adapter, store: Store, tmp_path: Path) -> Store:
    adapter.extra = {"tokenizer.json": b'{"model": {"vocab": {"a": 2}}}'}
    source = adapter.write(tmp_path / "source")
    store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    return store


@pytest.mark.parametrize("name", FILES)
def test_the_gate_names_the_file(
    name: str, adapter: Adapter, published: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = published.version("tales", 1).path
    fail_reading(monkeypatch, name)
    found = gate.check(path, adapter.base)
    assert {(finding.code, finding.file) for finding in found} == {("file_unreadable", name)}
    assert "Input/output error" in found[0].message


def test_a_version_whose_manifest_cannot_be_read_is_damaged(
    published: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_reading(monkeypatch, "manifest.json")
    with pytest.raises(VersionDamaged, match="Input/output error"):
        published.resolve("tales@1")


@pytest.mark.parametrize("name", ["state.json", "history.jsonl"])
def test_records_that_cannot_be_read_are_named(
    name: str, published: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    published.set_alias("tales", "stable", 1, expected=None, who="tester", why="a test")
    fail_reading(monkeypatch, name)
    with pytest.raises(StoreDamaged, match="Input/output error"):
        published.history("tales")


def test_a_record_larger_than_any_that_was_written_is_damage(
    published: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 10)
    with pytest.raises(StoreDamaged, match="File too large"):
        published.versions("tales")


def test_an_import_from_a_failing_disk_is_told_from_a_bad_source(
    store: Store, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = adapter.write(tmp_path / "foreign")
    with pytest.MonkeyPatch.context() as patch:
        fail_reading(patch, "adapter_config.json", errno.EACCES)
        with pytest.raises(ImportRefused, match="Permission denied"):
            import_adapter(store, "mine", str(source))
    fail_reading(monkeypatch, "adapter_config.json")
    with pytest.raises(StoreWriteFailed, match="EIO"):
        import_adapter(store, "mine", str(source))
    assert store.names() == []


def test_an_export_to_a_full_disk_leaves_nothing(
    published: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write

    def write(descriptor: int, content: memoryview) -> int:
        if Path(f"/proc/self/fd/{descriptor}").readlink().parent.name == "out":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, content)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(StoreWriteFailed, match="Exporting tales@1 failed: ENOSPC"):
        export(published, published.version("tales", 1), tmp_path / "out")
    assert not (tmp_path / "out").exists()
