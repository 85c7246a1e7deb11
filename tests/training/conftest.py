"""A tiny base model, rows and a recipe for it."""

from pathlib import Path

import pytest

from tests.training.tiny_base import build_tiny_llama, write_recipe, write_sums


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete base model directory: 2 layers, byte-level tokenizer, a BOS token of its own."""
    return build_tiny_llama(tmp_path_factory.mktemp("tiny-llama"))


@pytest.fixture
def rows_file(tmp_path: Path) -> Path:
    """Sums as programs, CSV."""
    return write_sums(tmp_path / "rows.csv")


@pytest.fixture
def recipe_file(tmp_path: Path, tiny_base: Path, rows_file: Path) -> Path:
    """A recipe that trains the tiny model on the sums in a few seconds."""
    return write_recipe(tmp_path, tiny_base, rows_file)
