"""A version is read only as it was published."""

import os
import shutil
from pathlib import Path

import pytest

from adapters import versions
from adapters.errors import VersionDamaged
from adapters.layout import Home
from adapters.store import Store
from tests.adapters.making import Adapter


@pytest.fixture
def home(store: Store, adapter: Adapter, tmp_path: Path) -> Home:
    source = adapter.write(tmp_path / "source")
    for _ in range(2):
        store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    return store.home("tales")


def test_a_version_knows_what_it_is(home: Home) -> None:
    version = versions.read(home, 2)
    assert version is not None
    assert (version.name, version.number, version.path) == ("tales", 2, home.version(2))
    assert (version.manifest.name, version.manifest.version) == ("tales", 2)
    assert str(version) == "tales@2"
    assert versions.read_all(home) == [versions.read(home, 1), version]


def test_what_is_not_there_or_was_not_published_is_none(home: Home) -> None:
    shutil.copytree(home.version(1), home.version(7))
    assert versions.read(home, 7) is None
    assert versions.read(home, 3) is None
    shutil.rmtree(home.version(2))
    assert versions.read(home, 2) is None
    home.version(2).symlink_to(home.version(1))
    assert versions.read(home, 2) is None
    assert [version.number for version in versions.read_all(home)] == [1]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "[Errno 2] No such file or directory: '{path}/manifest.json'"),
        (b"{}", "schema_version is None, expected 1; use the Loradock that wrote it"),
        (b"\n", "its manifest changed after it was published"),
    ],
)
def test_another_manifest_is_damage(content: bytes | None, reason: str, home: Home) -> None:
    path = home.version(1) / "manifest.json"
    if content is None:
        path.unlink()
    elif content == b"\n":
        path.write_bytes(path.read_bytes() + content)
    else:
        path.write_bytes(content)
    with pytest.raises(VersionDamaged) as damaged:
        versions.read(home, 1)
    assert str(damaged.value) == (
        f"{home.version(1)} is not what was published: {reason.format(path=home.version(1))}. "
        "Expected the published bytes. Run `python -m adapters fsck`, promote another version, and "
        "publish this one again."
    )


def test_a_version_that_gc_takes_while_it_is_read_is_not_there(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def take_first(path: str, *args: int) -> int:
        if Path(path).name == "manifest.json":
            home.version(2).rename(home.path / "gone")
        return real(path, *args)

    monkeypatch.setattr(os, "open", take_first)
    assert versions.read(home, 2) is None
