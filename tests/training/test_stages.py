"""Raw text, then rows, then preferences train one adapter, in one go."""

from pathlib import Path

import pytest

from adapters import gate
from adapters.store import Store
from tests.training.test_dpo import write_preferences
from tests.training.test_pretrain import write_texts
from tests.training.tiny_base import write_recipe
from training import dpo, pretrain, sft

pytestmark = pytest.mark.training


def recipe_of(folder: Path, base: Path, rows: Path, task: str | None) -> list[str]:
    """A recipe with a run directory of its own and the store of all stages."""
    folder.mkdir()
    recipe = write_recipe(folder, base, rows, task=task)
    return ["--recipe", str(recipe), "--store", str(folder.parent / "store")]


def test_each_stage_publishes_a_version_that_names_its_parent(
    tmp_path: Path, tiny_base: Path, rows_file: Path
) -> None:
    raw = recipe_of(tmp_path / "raw", tiny_base, write_texts(tmp_path), None)
    rows = recipe_of(tmp_path / "rows", tiny_base, rows_file, "pseudocode")
    pairs = write_preferences(tmp_path / "pairs.csv")
    preferred = recipe_of(tmp_path / "preferences", tiny_base, pairs, "instruct")
    assert pretrain.main([*raw, "--max-length-tokens", "64"]) == 0
    assert sft.main([*rows, "--continue-from", "sums@1"]) == 0
    assert dpo.main([*preferred, "--continue-from", "sums@2"]) == 0
    store = Store(tmp_path / "store")
    versions = [store.resolve(f"sums@{number}") for number in (1, 2, 3)]
    assert [version.manifest.parent for version in versions] == [None, "sums@1", "sums@2"]
    assert {version.manifest.lora.rank for version in versions} == {4}
    for version in versions:
        assert gate.check(version.path, tiny_base) == []
    sources = [version.manifest.data.sources for version in versions if version.manifest.data]
    assert sources == [["texts"], ["rows.csv"], ["pairs.csv"]]
