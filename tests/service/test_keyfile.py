"""The key file holds digests, survives two writers, and is refused when it cannot be trusted."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service import keyfile
from service.errors import KeyFileError
from service.keyfile import Wanted


def test_a_key_is_given_once_and_only_its_digest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    record, key = keyfile.create(path, Wanted(name="ann", requests_per_min=5))
    assert keyfile.read(path) == [record]
    assert record.sha256 == keyfile.digest_of(key)
    assert key.startswith(f"ldk-{record.id}-")
    assert key.rpartition("-")[2] not in path.read_text(encoding="utf-8")


def test_two_writers_lose_no_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda n: keyfile.create(path, Wanted(name=f"n{n}"))[0], range(12)))
    assert {record.id for record in keyfile.read(path)} == {record.id for record in made}


def test_revoking_takes_out_that_key_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    (kept, _), (gone, _) = (keyfile.create(path, Wanted(name=name)) for name in ("a", "b"))
    keyfile.revoke(path, gone.id)
    assert keyfile.read(path) == [kept]
    with pytest.raises(KeyFileError, match=f"There is no key '{gone.id}'.*{kept.id}"):
        keyfile.revoke(path, gone.id)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "damaged"),
        (b"[]", "damaged"),
        (b'{"keys": [{"id": "x"}]}', r"keys\.0"),
        (b'{"keys": [], "extra": 1}', "extra"),
        (b"\xff", "damaged"),
    ],
)
def test_what_is_no_key_file_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match=problem):
        keyfile.read(path)


def test_a_file_that_others_can_change_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keyfile.create(path, Wanted(name="ann"))
    path.chmod(0o664)
    with pytest.raises(KeyFileError, match="chmod go-w"):
        keyfile.read(path)


def test_a_missing_file_and_a_missing_directory_are_told(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be read"):
        keyfile.read(tmp_path / "none.json")
    with pytest.raises(KeyFileError, match="cannot be written"):
        keyfile.create(tmp_path / "none" / "keys.json", Wanted(name="ann"))


def test_a_link_to_the_file_is_followed(tmp_path: Path) -> None:
    path, link = tmp_path / "keys.json", tmp_path / "link.json"
    record, _ = keyfile.create(path, Wanted(name="ann"))
    link.symlink_to(path)
    assert keyfile.read(link) == [record]
    keyfile.revoke(link, record.id)
    assert keyfile.read(path) == []
    assert link.is_symlink()
