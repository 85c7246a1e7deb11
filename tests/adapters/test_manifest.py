"""Records of another schema are refused by name, before anything else about them is judged."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters import gate
from adapters.errors import ImportRefused, StoreDamaged, VersionDamaged
from adapters.importing import import_adapter
from adapters.manifest import DataFacts, Draft, Manifest, PromptForm, Sampling
from adapters.store import Store, Version
from tests.adapters.making import Adapter

OTHERS = [0, 2, -1, True, 1.0, "1", None]


@pytest.fixture
def version(store: Store, adapter: Adapter, tmp_path: Path) -> Version:
    source = adapter.write(tmp_path / "source")
    return store.publish("tales", source, adapter.draft(), base_dir=adapter.base)


def change(path: Path, **changes: object) -> Path:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return path


@pytest.mark.parametrize("schema", OTHERS, ids=repr)
def test_a_manifest_of_another_schema_is_refused(
    schema: object, version: Version, store: Store, adapter: Adapter
) -> None:
    """A later schema has other keys; that is not what is wrong with it."""
    change(version.path / "manifest.json", schema_version=schema, key_of_the_future=1)
    sentence = f"schema_version is {schema!r}, expected 1; use the Loradock that wrote it"
    (finding,) = gate.check(version.path, adapter.base)
    assert (finding.code, finding.file) == ("manifest_invalid", "manifest.json")
    assert sentence in finding.message
    with pytest.raises(VersionDamaged) as damaged:
        store.resolve("tales@1")
    assert sentence in str(damaged.value)
    with pytest.raises(ImportRefused, match="schema_version is"):
        import_adapter(store, "other", str(version.path))


def test_a_manifest_without_a_schema_is_refused(version: Version, store: Store) -> None:
    path = version.path / "manifest.json"
    document = json.loads(path.read_text())
    del document["schema_version"]
    path.write_text(json.dumps(document))
    with pytest.raises(VersionDamaged, match="schema_version is None, expected 1"):
        store.resolve("tales@1")


@pytest.mark.parametrize("schema", OTHERS, ids=repr)
def test_a_state_of_another_schema_is_refused(
    schema: object, version: Version, store: Store
) -> None:
    change(store.home("tales").state, schema_version=schema, key_of_the_future=1)
    with pytest.raises(StoreDamaged) as damaged:
        store.versions("tales")
    assert f"schema_version is {schema!r}, expected 1" in str(damaged.value)
    assert "state.json" in str(damaged.value)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"unknown": 1}, "unknown: Extra inputs are not permitted"),
        ({"version": 0}, "version: Input should be greater than or equal to 1"),
        ({"created": "2026-01-01T00:00:00"}, "created: Input should have timezone info"),
        ({"content_sha256": "0" * 64}, "content_sha256 is not that of the files it lists"),
        ({"files": {}}, "content_sha256 is not that of the files it lists"),
        ({"probes": [""]}, "probes.0: String should have at least 1 character"),
        ({"probes": ["x"] * 65}, "probes: List should have at most 64 items"),
        ({"lora": {"rank": 4}}, "lora.alpha: Field required"),
        ({"prompt": {"template": "{% for"}}, "prompt.template: Value error, the template cannot"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_with_a_manifest_is_named(
    changes: dict[str, Any], reason: str, version: Version, adapter: Adapter
) -> None:
    change(version.path / "manifest.json", **changes)
    (finding,) = gate.check(version.path, adapter.base)
    assert finding.code == "manifest_invalid"
    assert reason in finding.message


def test_a_manifest_gives_its_draft_back(store: Store, adapter: Adapter, tmp_path: Path) -> None:
    draft = adapter.draft().model_copy(
        update={
            "prompt": PromptForm(
                template="{{ messages[0].content }}", sampling=Sampling(top_p=0.5)
            ),
            "data": DataFacts(rows=3, content_sha256="a" * 64, licence="CC0-1.0", sources=["x"]),
            "training": {"steps": 10},
            "parent": "tales@1",
        }
    )
    source = adapter.write(tmp_path / "source")
    manifest = store.publish("tales", source, draft, base_dir=adapter.base).manifest
    assert manifest.draft() == draft
    assert set(Manifest.model_fields) - set(Draft.model_fields) == {
        "schema_version",
        "name",
        "version",
        "created",
        "files",
        "content_sha256",
    }
