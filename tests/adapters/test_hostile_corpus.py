"""Every hostile adapter is refused at publish and at load, with its own code.

That it is done quickly is measured in `test_figures.py`.
"""

import shutil
from pathlib import Path

import pytest

from adapters import gate
from adapters.errors import AdapterRefused
from adapters.findings import MAX_PER_CODE, REASONS
from adapters.store import Store
from tests.adapters.hostile import CASES, Case
from tests.adapters.making import Adapter

# Codes that speak of a manifest or of the surroundings, proven elsewhere in these tests.
ELSEWHERE = {
    "base_config_differs",
    "directory_missing",
    "file_changed",
    "file_not_published",
    "file_unreadable",
    "manifest_disagrees",
    "manifest_invalid",
    "tokenizer_differs",
}


@pytest.fixture
def hostile(case: Case, adapter: Adapter, tmp_path: Path) -> Path:
    directory = adapter.write(tmp_path / "hostile")
    case.spoil(directory, adapter)
    return directory


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refused_at_publish(case: Case, hostile: Path, adapter: Adapter, store: Store) -> None:
    with pytest.raises(AdapterRefused) as refused:
        store.publish("bad", hostile, adapter.draft(), base_dir=adapter.base)
    assert case.code in [finding.code for finding in refused.value.findings]
    assert store.names() == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refused_at_load(case: Case, adapter: Adapter, store: Store, tmp_path: Path) -> None:
    """Somebody with access to the disk spoils a good version after it was published."""
    source = adapter.write(tmp_path / "source")
    version = store.publish("good", source, adapter.draft(), base_dir=adapter.base)
    case.spoil(version.path, adapter)
    found = gate.check(version.path, adapter.base)
    assert case.code in [finding.code for finding in found]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_findings_are_few_printable_and_have_a_remedy(
    case: Case, hostile: Path, adapter: Adapter
) -> None:
    found = gate.check(hostile, adapter.base)
    assert 0 < len(found) <= 4 * (MAX_PER_CODE + 1)
    for finding in found:
        assert str(finding).isprintable()
        assert len(finding.message) < 1000
        assert finding.message.endswith(".")


def test_the_corpus_has_every_code_and_each_case_a_name() -> None:
    assert {case.code for case in CASES} | ELSEWHERE == set(REASONS)
    assert len({case.name for case in CASES}) == len(CASES) >= 60


def test_the_good_adapter_of_the_corpus_is_good(adapter: Adapter, tmp_path: Path) -> None:
    directory = adapter.write(tmp_path / "good")
    assert gate.check(directory, adapter.base) == []
    shutil.rmtree(directory)
    assert [finding.code for finding in gate.check(directory, adapter.base)] == [
        "directory_missing"
    ]
