"""A base model, a good adapter and a store for the tests of adapters."""

from pathlib import Path

import pytest

from adapters.store import Store
from tests.adapters.making import Adapter, make_adapter, make_base


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return make_base(tmp_path / "tiny-llama")


@pytest.fixture
def adapter(base: Path) -> Adapter:
    return make_adapter(base)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")
