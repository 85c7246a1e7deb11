"""A directory is compared with its manifest byte by byte, and what differs is named."""

import hashlib
import json
from pathlib import Path

import pytest

from adapters import integrity
from adapters.findings import Findings
from adapters.store import Store, Version
from tests.adapters.making import Adapter

CONFIG, WEIGHTS, MANIFEST = "adapter_config.json", "adapter_model.safetensors", "manifest.json"
NAMES = [CONFIG, WEIGHTS, MANIFEST]


@pytest.fixture
def version(store: Store, adapter: Adapter, tmp_path: Path) -> Version:
    source = adapter.write(tmp_path / "source")
    return store.publish("tales", source, adapter.draft(), base_dir=adapter.base)


def look(version: Version, names: list[str] = NAMES) -> list[str]:
    findings = Findings()
    manifest = integrity.check(version.path, names, findings)
    assert manifest in (None, version.manifest)
    return [str(finding) for finding in findings.all()]


def short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def test_a_version_as_it_was_published_is_whole(version: Version) -> None:
    findings = Findings()
    assert integrity.check(version.path, NAMES, findings) == version.manifest
    assert findings.all() == []


def test_changed_added_and_absent_files_are_named(version: Version) -> None:
    expected = short((version.path / CONFIG).read_bytes())
    (version.path / CONFIG).write_bytes(b"{}")
    unchanged = version.manifest.files[WEIGHTS].sha256[:16]
    end = "it is not what was published. Publish or import the adapter again; this copy is never docked."
    assert look(version, [CONFIG, "x.png", MANIFEST]) == [
        "[file_not_published] in x.png: The manifest does not list it, so it was added later. "
        "Remove it.",
        f"[file_changed] in {CONFIG}: Its sha256 is {short(b'{}')}, expected {expected}: {end}",
        f"[file_changed] in {WEIGHTS}: Its sha256 is absent, expected {unchanged}: {end}",
    ]


def test_a_file_that_cannot_be_read_is_told_from_a_changed_one(version: Version) -> None:
    (version.path / CONFIG).unlink()
    (version.path / CONFIG).mkdir()
    (said,) = look(version)
    assert said.startswith(f"[file_unreadable] in {CONFIG}: It cannot be read (Invalid argument).")


def test_a_manifest_that_cannot_be_read_is_named_alone(version: Version) -> None:
    (version.path / MANIFEST).unlink()
    (said,) = look(version)
    assert said.startswith(f"[file_unreadable] in {MANIFEST}: It cannot be read (No such file")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[]", "schema_version is None, expected 1; use the Loradock that wrote it"),
        (b"{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b'{"schema_version": 1}', "base: Field required"),
        (b'{"schema_version": 1, "schema_version": 1}', "the key 'schema_version' occurs twice"),
    ],
)
def test_what_is_no_manifest_is_said_to_be_none(
    content: bytes, reason: str, version: Version
) -> None:
    (version.path / MANIFEST).write_bytes(content)
    (said,) = look(version)
    assert f"({reason!r})" in said or f'("{reason}")' in said
    assert said.startswith(f"[manifest_invalid] in {MANIFEST}: It is not a manifest (")
    assert said.endswith(
        "). Remove it to verify the adapter alone, or take the version from where it was published."
    )


def test_the_digest_of_the_whole_must_be_that_of_its_files(version: Version) -> None:
    document = json.loads((version.path / MANIFEST).read_text()) | {"content_sha256": "0" * 64}
    with pytest.raises(ValueError, match=r"^content_sha256 is not that of the files it lists$"):
        integrity.parse(json.dumps(document).encode())
