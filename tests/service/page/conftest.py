"""One browser for all tests of the page, and the app that they visit."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.service.memory_store import MemoryStore
from tests.service.page.browsing import Visit, browsing, chromium, visiting
from tests.service.page.docked import make_engine, make_store
from tests.service.running import Running, listening


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    if chromium() is None:
        pytest.skip("there is no Chromium; scripts/browser brings one")
    async with browsing() as started:
        yield started


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    return make_store(tmp_path)


@pytest.fixture
async def app(store: MemoryStore) -> AsyncIterator[Running]:
    """The app without keys, on a socket of its own."""
    async with listening(make_engine(), store) as running:
        yield running


@pytest.fixture
async def visit(browser: Browser, app: Running) -> AsyncIterator[Visit]:
    async with visiting(browser, str(app.client.base_url)) as visit:
        yield visit
