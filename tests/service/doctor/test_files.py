"""The base's files and the file of keys, whole and not."""

import json
import os
from pathlib import Path

import pytest

from service import keyfile
from service.doctor import files
from service.keyfile import Wanted
from tests.service.tiny_store import make_base


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return make_base(tmp_path)


def test_a_whole_base_is_well(base: Path) -> None:
    found = files.base(str(base), files.find_base(str(base)))
    assert (found.state, str(base) in found.found) == ("ok", True)


def test_a_base_that_lacks_a_file_fails(base: Path) -> None:
    (base / "tokenizer.json").unlink()
    found = files.base("tiny", base)
    assert found.state == "failed"
    assert "lacks a tokenizer" in found.found


def test_weights_that_were_cut_short_fail(base: Path) -> None:
    weights = base / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert "model.safetensors has" in files.base("tiny", base).found
    weights.write_bytes(b"")
    assert files.base("tiny", base).state == "failed"


def test_a_missing_shard_fails(base: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (base / "model.safetensors.index.json").write_text(json.dumps(index))
    assert files.base("tiny", base).found == "model-2.safetensors is missing"
    (base / "model.safetensors.index.json").write_text("[]")
    assert "cannot be read" in files.base("tiny", base).found


def test_a_base_that_is_nowhere_fails_and_one_of_the_hub_would_be_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORADOCK_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    embedded = files.base("smollm2-135m-instruct", files.find_base("smollm2-135m-instruct"))
    assert embedded.state == "failed"
    assert "basemodels fetch smollm2-135m-instruct" in embedded.remedy
    assert files.base("owner/name", files.find_base("owner/name")).state == "warning"


def test_no_key_file_is_well() -> None:
    assert files.keys(None, keys_set=False).state == "ok"
    assert "two keys of the settings" in files.keys(None, keys_set=True).found


def test_a_file_of_keys_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keyfile.create(path, Wanted(name="a"))
    keyfile.create(path, Wanted(name="b", scope="admin"))
    path.chmod(0o644)
    found = files.keys(path, keys_set=False)
    assert (found.state, found.found) == ("ok", f"2 in {path}, 1 of them admin, mode 644")


def test_a_key_file_that_is_missing_or_open_to_all_fails(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    assert files.keys(path, keys_set=False).state == "failed"
    keyfile.create(path, Wanted(name="a"))
    path.chmod(0o666)
    assert "chmod go-w" in files.keys(path, keys_set=False).found


def test_a_file_without_keys_lets_nobody_in(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    record, _ = keyfile.create(path, Wanted(name="a"))
    keyfile.revoke(path, record.id)
    assert files.keys(path, keys_set=False).state == "warning"
    assert files.keys(path, keys_set=True).state == "ok"


def test_a_key_of_the_future_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    record, _ = keyfile.create(path, Wanted(name="a"))
    path.write_text(path.read_text().replace(str(record.created.year), "2999", 1))
    assert "of the future" in files.keys(path, keys_set=False).found


def test_a_file_of_another_user_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys.json"
    keyfile.create(path, Wanted(name="a"))
    if os.getuid() == 0:
        os.chown(path, 12345, -1)
    else:
        monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert "chown" in files.keys(path, keys_set=False).remedy
