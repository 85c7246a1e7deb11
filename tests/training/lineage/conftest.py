"""A lineage small enough to spoil in every way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.training.lineage.documents import edge, node


@pytest.fixture
def document() -> dict[str, Any]:
    """Three algorithms, one after the other."""
    return {
        "id": "sample",
        "title": "A sample",
        "purpose": "Show a chain.",
        "nodes": [node("alpha", 1990), node("beta", 2000), node("gamma", 2010)],
        "edges": [edge("alpha", "beta"), edge("beta", "gamma")],
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Write a document as a lineage file."""

    def written(document: dict[str, Any]) -> Path:
        path = tmp_path / "sample.yaml"
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        return path

    return written
