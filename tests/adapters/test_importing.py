"""What comes from elsewhere: directories, archives, the Hub. Nothing escapes, nothing is unpickled."""

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import pytest

from adapters import archives
from adapters.errors import AdapterRefused, ImportRefused
from adapters.exporting import export
from adapters.importing import import_adapter
from adapters.store import Store
from basemodels import BaseModelError
from tests.adapters.making import Adapter

REVISION = "0123456789abcdef0123456789abcdef01234567"
Members = dict[str, bytes]


def members(directory: Path, prefix: str = "") -> Members:
    return {f"{prefix}{path.name}": path.read_bytes() for path in sorted(directory.iterdir())}


def pack_tar(path: Path, content: Members, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload] # "w" or "w:gz"
        for name, raw in content.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(raw)
            tar.addfile(entry, io.BytesIO(raw))
    return path


def pack_zip(path: Path, content: Members) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in content.items():
            archive.writestr(name, raw)
    return path


@pytest.fixture
def foreign(adapter: Adapter, tmp_path: Path) -> Path:
    """What other trainers write: pickles and states beside the adapter."""
    adapter.extra = {
        "training_args.bin": b"\x80\x04.",
        "optimizer.pt": b"PK",
        "trainer_state.json": b"{}",
        "README.md": b"# Mine",
    }
    return adapter.write(tmp_path / "foreign")


LEFT_OUT = ["optimizer.pt", "trainer_state.json", "training_args.bin"]


def test_a_directory_comes_without_pickles_and_says_so(store: Store, foreign: Path) -> None:
    found = import_adapter(store, "mine", str(foreign))
    assert found.left_out == LEFT_OUT
    assert found.pickles == ["optimizer.pt", "training_args.bin"]
    assert sorted(found.version.manifest.files) == [
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert found.version.manifest.lora.rank == 4


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
@pytest.mark.parametrize("prefix", ["", "./", "some/folder/"])
def test_an_archive_holds_the_same(
    kind: str, prefix: str, store: Store, foreign: Path, tmp_path: Path
) -> None:
    content = members(foreign, prefix) | {"elsewhere/notes.txt": b"x"}
    path = tmp_path / f"packed.{kind}"
    if kind == "zip":
        pack_zip(path, content)
    else:
        pack_tar(path, content, "w:gz" if kind == "tar.gz" else "w")
    found = import_adapter(store, "mine", str(path))
    weights = "adapter_model.safetensors"
    assert (found.version.path / weights).read_bytes() == (foreign / weights).read_bytes()
    assert len(found.left_out) == 4


def test_what_was_exported_comes_back_with_all_that_is_known(
    store: Store, adapter: Adapter, tmp_path: Path
) -> None:
    source = adapter.write(tmp_path / "source")
    draft = adapter.draft().model_copy(update={"probes": ["2 + 2"], "training": {"epochs": 3}})
    first = store.publish("mine", source, draft, base_dir=adapter.base)
    for name in ("plain", "packed.tar"):
        target = export(store, first, tmp_path / name)
        again = import_adapter(store, "other", str(target)).version
        assert again.manifest.draft() == first.manifest.draft()
        assert again.manifest.content_sha256 == first.manifest.content_sha256


def link(kind: bytes, target: str) -> Callable[[Path, Members], Path]:
    def build(path: Path, content: Members) -> Path:
        with tarfile.open(path, "w") as tar:
            entry = tarfile.TarInfo("adapter_model.safetensors")
            entry.type, entry.linkname = kind, target
            tar.addfile(entry)
        return path

    return build


def renamed(name: str, pack: Callable[[Path, Members], Path]) -> Callable[[Path, Members], Path]:
    return lambda path, content: pack(path, content | {name: b"x"})


def zip_link(path: Path, content: Members) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("adapter_model.safetensors")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return path


def twice(path: Path, content: Members) -> Path:
    with tarfile.open(path, "w") as tar:
        for raw in (b"{}", b"[]"):
            entry = tarfile.TarInfo("adapter_config.json")
            entry.size = len(raw)
            tar.addfile(entry, io.BytesIO(raw))
    return path


def written(content: Callable[[Path, Members], bytes]) -> Callable[[Path, Members], Path]:
    def build(path: Path, given: Members) -> Path:
        path.write_bytes(content(path, given))
        return path

    return build


HOSTILE: dict[str, tuple[Callable[[Path, Members], Path], str]] = {
    "a tar that climbs out": (renamed("../../evil", pack_tar), "leads outside"),
    "a tar with an absolute path": (renamed("/tmp/evil", pack_tar), "leads outside"),  # noqa: S108
    "a zip that climbs out": (renamed("a/../../evil", pack_zip), "leads outside"),
    "a zip for another system": (renamed("..\\evil", pack_zip), "leads outside"),
    "a symbolic link": (link(tarfile.SYMTYPE, "/etc/passwd"), "is a link or a device"),
    "a hard link": (link(tarfile.LNKTYPE, "/etc/passwd"), "is a link or a device"),
    "a FIFO": (link(tarfile.FIFOTYPE, ""), "is a link or a device"),
    "a device": (link(tarfile.CHRTYPE, ""), "is a link or a device"),
    "a link in a zip": (zip_link, "is a link or a device"),
    "a member twice": (twice, "occurs twice"),
    "two adapters": (renamed("b/adapter_config.json", pack_tar), "holds 2 adapters"),
    "no adapter": (lambda path, _: pack_tar(path, {"a": b"x"}), "holds 0 adapters"),
    "too many members": (
        lambda path, _: pack_tar(path, {f"{n}": b"" for n in range(1001)}),
        "more than 1000 members",
    ),
    "no archive": (written(lambda _, __: b"x" * 2000), "cannot be read"),
    "half a zip": (
        written(lambda path, content: pack_zip(path, content).read_bytes()[:300]),
        "cannot be read",
    ),
    "half a gzip": (
        written(lambda path, content: pack_tar(path, content, "w:gz").read_bytes()[:900]),
        "cannot be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused_and_leave_nothing(
    name: str, store: Store, foreign: Path, tmp_path: Path
) -> None:
    build, reason = HOSTILE[name]
    path = build(tmp_path / "packed", members(foreign))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ImportRefused, match=reason):
        import_adapter(store, "mine", str(path))
    assert sorted(entry for entry in tmp_path.iterdir() if entry != store.root) == before
    assert list(store.home("mine").staging.iterdir()) == []


def test_an_archive_that_unpacks_to_too_much_is_stopped(
    store: Store, foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filler = {f"filler{number}": bytes(1 << 20) for number in range(8)}
    path = pack_tar(tmp_path / "bomb.tar.gz", filler, "w:gz")
    assert path.stat().st_size < 20_000
    monkeypatch.setattr(archives, "SLACK_BYTES", 0)
    with pytest.raises(ImportRefused, match="unpacks to more than 1000000 bytes"):
        archives.unpack(path, tmp_path, lambda _: 500_000)


@pytest.mark.parametrize("spoil", ["link", "hard link", "directory"])
def test_a_directory_with_links_is_refused(spoil: str, store: Store, foreign: Path) -> None:
    weights = foreign / "adapter_model.safetensors"
    if spoil == "hard link":
        os.link(weights, foreign.parent / "second")
    else:
        weights.rename(foreign.parent / "moved")
        if spoil == "link":
            weights.symlink_to(foreign.parent / "moved")
        else:
            weights.mkdir()
    with pytest.raises(ImportRefused, match="cannot be taken"):
        import_adapter(store, "mine", str(foreign))


def test_a_refusal_names_the_source(store: Store, adapter: Adapter, tmp_path: Path) -> None:
    adapter.config["use_dora"] = True
    source = adapter.write(tmp_path / "dora")
    with pytest.raises(AdapterRefused, match=f"The adapter in {source} is refused, 1 finding"):
        import_adapter(store, "mine", str(source))


def test_the_gate_judges_what_is_imported(store: Store, adapter: Adapter, tmp_path: Path) -> None:
    adapter.config["use_dora"] = True
    with pytest.raises(AdapterRefused, match="DoRA"):
        import_adapter(store, "mine", str(adapter.write(tmp_path / "foreign")))


def test_the_base_must_be_named_and_known(store: Store, adapter: Adapter, tmp_path: Path) -> None:
    adapter.config["base_model_name_or_path"] = None
    source = str(adapter.write(tmp_path / "unnamed"))
    with pytest.raises(ImportRefused, match="does not name its base model"):
        import_adapter(store, "mine", source)
    with pytest.raises(BaseModelError):
        import_adapter(store, "mine", source, base="no-such-base")
    assert import_adapter(store, "mine", source, base=str(adapter.base)).version.number == 1


def test_a_missing_source_and_a_broken_manifest_are_named(store: Store, foreign: Path) -> None:
    with pytest.raises(ImportRefused, match=r"There is no .*absent"):
        import_adapter(store, "mine", str(foreign / "absent"))
    (foreign / "manifest.json").write_text("{}")
    with pytest.raises(ImportRefused, match="cannot be read"):
        import_adapter(store, "mine", str(foreign))


@pytest.mark.parametrize("source", ["hub:a/b", "hub:a/b@main", f"hub:b@{REVISION}", "hub:a/b@abc"])
def test_the_hub_needs_a_commit(source: str, store: Store) -> None:
    with pytest.raises(ImportRefused, match="does not say which revision"):
        import_adapter(store, "mine", source)


def test_the_hubs_cache_of_links_is_followed(
    store: Store, foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache keeps content in blobs/ and links to it from snapshots/<commit>/."""
    repository = tmp_path / "models--a--b"
    snapshot, blobs = repository / "snapshots" / REVISION, repository / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    for path in foreign.iterdir():
        path.rename(blobs / path.name)
        (snapshot / path.name).symlink_to(blobs / path.name)

    def download(name: str, *, revision: str, allow_patterns: list[str]) -> str:
        assert (name, revision) == ("a/b", REVISION)
        assert not [pattern for pattern in allow_patterns if pattern.endswith(".bin")]
        return str(snapshot)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    found = import_adapter(store, "mine", f"hub:a/b@{REVISION}")
    assert found.left_out == LEFT_OUT
    (snapshot / "README.md").unlink()
    (snapshot / "README.md").symlink_to("/etc/passwd")
    with pytest.raises(ImportRefused, match=r"README\.md cannot be taken"):
        import_adapter(store, "mine", f"hub:a/b@{REVISION}")


def test_an_unreachable_hub_is_named(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(*args: object, **kwargs: object) -> str:
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    with pytest.raises(ImportRefused, match="no network"):
        import_adapter(store, "mine", f"hub:a/b@{REVISION}")
