"""A dead engine comes back with its adapters; one that cannot come back ends the server."""

import asyncio
import time
from collections.abc import Callable

import pytest

from service import supervisor
from service.berths import Key
from service.engine.errors import EngineStartFailed
from service.engine.fake import FakeEngine
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, running, until


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "WATCH_INTERVAL_S", 0.01)
    monkeypatch.setattr(supervisor, "FIRST_BACKOFF_S", 0.01)


async def test_a_dead_engine_is_restarted_and_its_versions_docked_again(
    app: Running, engine: FakeEngine, record_property: Callable[[str, object], None]
) -> None:
    await app.complete("alpha@3")
    before = set(app.parts.docks.berths)
    assert before == {Key("alpha", 1), Key("alpha", 3), Key("beta", 1)}
    engine.kill()
    killed_s = time.monotonic()
    assert (await app.complete("alpha")).status_code == 503
    await until(lambda: "loradock_engine_restarts_total 1.0" in app.parts.metrics.text())
    await until(lambda: not app.parts.lifecycle.reasons())
    record_property("recovered_s", time.monotonic() - killed_s)
    assert set(app.parts.docks.berths) == before
    assert len(await engine.docked()) == 3
    assert (await app.complete("alpha")).json()["model"] == "alpha@1"


async def test_until_it_is_back_requests_are_503_with_a_time_to_come_again(
    app: Running, engine: FakeEngine
) -> None:
    engine.faults.start_fails = True
    engine.kill()
    await until(lambda: app.parts.lifecycle.reasons())
    response = await app.chat("alpha")
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    ready = await app.client.get("/health/ready")
    assert "waiting for the engine to restart" in ready.json()["error"]["message"]
    assert (await app.client.get("/health/live")).status_code == 200
    assert "loradock_engine_up 0.0" in await app.metrics()
    engine.faults.start_fails = False
    await until(lambda: not app.parts.lifecycle.reasons())
    assert (await app.chat("alpha")).status_code == 200


async def test_an_engine_that_cannot_come_back_ends_the_server(
    app: Running, engine: FakeEngine
) -> None:
    engine.faults.start_fails = True
    engine.kill()
    await asyncio.wait_for(app.parts.lifecycle.stopping.wait(), 5)
    assert isinstance(app.parts.lifecycle.failure, EngineStartFailed)


async def test_an_engine_that_does_not_start_ends_the_server(memory_store: MemoryStore) -> None:
    engine = FakeEngine()
    engine.faults.start_fails = True
    async with running(engine, memory_store, wait=False) as app:
        await asyncio.wait_for(app.parts.lifecycle.stopping.wait(), 5)
        assert isinstance(app.parts.lifecycle.failure, EngineStartFailed)


async def test_one_bad_adapter_does_not_keep_the_server_from_being_ready(
    memory_store: MemoryStore,
) -> None:
    engine = FakeEngine()
    engine.faults.failing_docks.add("alpha@1")
    async with running(engine, memory_store) as app:
        assert (await app.complete("beta")).status_code == 200
        assert (await app.complete("alpha")).status_code == 503
        assert (await app.client.get("/health/ready")).json()["problems"] == 1


async def test_when_the_server_ends_so_does_the_engine(memory_store: MemoryStore) -> None:
    engine = FakeEngine()
    async with running(engine, memory_store):
        assert engine.alive()
    assert not engine.alive()
