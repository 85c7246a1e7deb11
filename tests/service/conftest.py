"""What the tests of the service share: stores, the app over the fake engine, a real server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.engine.fake import FakeEngine
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, running


@pytest.fixture
def memory_store(tmp_path: Path) -> MemoryStore:
    """Two tasks: alpha with three versions, stable at 1, and beta with one."""
    store = MemoryStore(tmp_path)
    for number in (1, 2, 3):
        store.add("alpha", number)
    store.add("beta", 1)
    store.set_alias("alpha", "stable", 1, expected=None, who="test", why="start")
    store.set_alias("beta", "stable", 1, expected=None, who="test", why="start")
    return store


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def app(engine: FakeEngine, memory_store: MemoryStore) -> AsyncIterator[Running]:
    """The app over the fake engine and the store in memory, ready, without a socket."""
    async with running(engine, memory_store) as started:
        yield started
