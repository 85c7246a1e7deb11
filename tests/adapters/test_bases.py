"""Which base a directory holds: digests over what has a meaning, and the names that it goes by."""

import hashlib
import json
from pathlib import Path

import pytest

from adapters import bases
from basemodels import CATALOGUE, BaseModelError
from tests.adapters.making import make_base

ENTRY = CATALOGUE["smollm2-135m-instruct"]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LORADOCK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "bases"


def change(base: Path, **options: object) -> None:
    path = base / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | options))


def test_a_base_is_described_by_its_digests(base: Path) -> None:
    described = bases.describe("tiny", base, "main")
    assert (described.id, described.revision) == ("tiny", "main")
    assert bases.describe("tiny", base).revision is None
    config = json.loads((base / "config.json").read_text())
    assert described.config_sha256 == sha256(json.dumps(config, sort_keys=True).encode())
    line = f"tokenizer.json {sha256((base / 'tokenizer.json').read_bytes())}\n"
    assert described.tokenizer_sha256 == sha256(line.encode())


def test_a_snapshot_of_the_hub_has_a_revision(tmp_path: Path) -> None:
    commit = "0123456789abcdef" * 2 + "01234567"
    snapshots = tmp_path / "models--owner--tiny" / "snapshots"
    snapshot = make_base(snapshots / commit)
    assert bases.describe("owner/tiny", snapshot).revision == commit
    assert bases.describe("owner/tiny", snapshot, "v1").revision == "v1"
    link = tmp_path / "link"
    link.symlink_to(snapshot)
    assert bases.describe("tiny", link).revision == commit
    for other in (snapshots / "main", snapshots / commit[1:], tmp_path / commit):
        assert bases.describe("tiny", make_base(other)).revision is None


@pytest.mark.parametrize("key", sorted(bases.INCIDENTAL))
def test_how_a_configuration_was_written_has_no_meaning(key: str, base: Path) -> None:
    before = bases.config_sha256(base)
    change(base, **{key: "anything"})
    assert bases.config_sha256(base) == before
    change(base, rope_theta=1)
    assert bases.config_sha256(base) != before


@pytest.mark.parametrize(
    "name", ["tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt", "vocab.txt"]
)
def test_every_file_that_makes_token_ids_counts(name: str, base: Path) -> None:
    before = bases.tokenizer_sha256(base)
    (base / name).write_text("other")
    assert bases.tokenizer_sha256(base) != before
    (base / "tokenizer_config.json").write_text("x")
    (base / name).rename(base / "kept")
    (base / name).symlink_to(base / "kept")
    linked = bases.tokenizer_sha256(base)
    (base / name).unlink()
    assert bases.tokenizer_sha256(base) != linked


def test_a_file_that_cannot_be_read_is_named(base: Path) -> None:
    (base / "vocab.json").mkdir()
    with pytest.raises(BaseModelError) as refused:
        bases.tokenizer_sha256(base)
    assert str(refused.value) == (
        f"Cannot read the base model's {base / 'vocab.json'} (Is a directory). Expected a plain "
        "file. Check its mode and the disk, or fetch the base again."
    )


@pytest.mark.parametrize(
    ("claim", "fits"),
    [
        ("tiny-llama", True),
        ("TINY-LLAMA", True),
        ("owner/tiny-llama", True),
        ("owner/tiny-llama@main", True),
        ("a/b/tiny-llama@main", False),
        ("/owner/tiny-llama@main", False),
        ("owner/other@tiny-llama", False),
        ("models--owner--tiny-llama", True),
        ("hub/models--owner--tiny-llama/snapshots/abc", True),
        ("hub/models--owner--other/snapshots/tiny-llama", False),
        ("xmodels--owner--tiny-llama/snapshots/abc", False),
        ("C:\\models\\tiny-llama", True),
        ("", False),
        ("/", False),
    ],
)
def test_a_base_is_called_by_its_last_name(claim: str, fits: bool, base: Path) -> None:
    assert bases.is_called(base, claim) == fits


def test_a_link_goes_by_its_own_name_and_by_that_of_its_target(base: Path, tmp_path: Path) -> None:
    link = tmp_path / "alias-of-it"
    link.symlink_to(base)
    assert bases.is_called(link, "alias-of-it")
    assert bases.is_called(link, "tiny-llama")


def test_a_catalogued_base_has_a_name_and_a_hub_id(tmp_path: Path) -> None:
    by_name = make_base(tmp_path / "one" / ENTRY.name)
    by_id = make_base(tmp_path / "two" / ENTRY.hub_id.split("/")[1], rope_theta=2)
    for claim in (ENTRY.name, ENTRY.hub_id, f"{ENTRY.hub_id}@main", ENTRY.name.upper()):
        assert bases.is_called(by_name, claim)
        assert bases.is_called(by_id, claim)
    assert not bases.is_called(by_name, "smollm2-360m-instruct")


def test_a_base_of_the_same_configuration_is_the_same_base(
    base: Path, tmp_path: Path, empty_cache: Path
) -> None:
    there = make_base(tmp_path / "there")
    assert bases.is_called(base, str(there))
    assert not bases.is_called(base, ENTRY.hub_id)
    fetched = make_base(empty_cache / ENTRY.name)
    assert bases.is_called(base, ENTRY.hub_id)
    for directory in (there, fetched):
        change(directory, rope_theta=7)
    assert not bases.is_called(base, str(there))
    assert not bases.is_called(base, ENTRY.hub_id)


def test_a_configuration_that_cannot_be_one_is_not_compared(base: Path, tmp_path: Path) -> None:
    there = make_base(tmp_path / "there")
    raw = (there / "config.json").read_bytes()
    (there / "config.json").write_bytes(raw + b" " * ((1 << 20) - len(raw)))
    assert bases.is_called(base, str(there))
    (there / "config.json").write_bytes(raw + b" " * ((1 << 20) - len(raw) + 1))
    assert not bases.is_called(base, str(there))
    for content in (b"{", b"[]", b"[" * 200_000):
        (there / "config.json").write_bytes(content)
        assert not bases.is_called(base, str(there))
    assert not bases.is_called(base, "a\0b/c")
