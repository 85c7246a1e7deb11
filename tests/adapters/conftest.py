"""A base model, a good adapter and a store for the tests of adapters."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.store import Store
from tests.adapters.making import Adapter, make_adapter, make_base

FULL = os.environ.get("FULL_TESTS") == "1"
MEMORY = Path("/dev/shm")  # noqa: S108 - a private directory is made in it
MIN_FREE_BYTES = 256 << 20
FULL_TIMEOUT_S = 3600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long form of a test may take longer than any test otherwise may."""
    for item in items if FULL else []:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(FULL_TIMEOUT_S))


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is room: these tests sync thousands of times and prove an order.

    `FULL_TESTS=1` takes the disk itself.
    """
    if FULL or not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < MIN_FREE_BYTES:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="loradock-", dir=MEMORY) as directory:
        yield Path(directory)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return make_base(tmp_path / "tiny-llama")


@pytest.fixture
def adapter(base: Path) -> Adapter:
    return make_adapter(base)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")
