"""With more busy adapters than the engine computes at once, every adapter's requests progress."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service import turns
from service.engine.fake import FakeEngine, Faults
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, running

TOKEN_S = 0.002
TURN_S = 0.05
# An answer has eight tokens; a turn ends once those under way at its end are done.
ANSWER_S = 8 * TOKEN_S


@pytest.fixture
def crowded_store(tmp_path: Path) -> MemoryStore:
    store = MemoryStore(tmp_path)
    for number in range(8):
        store.add(f"task{number}", 1)
        store.move(f"task{number}", 1)
    return store


@pytest.fixture
async def crowded(
    crowded_store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Running]:
    monkeypatch.setattr(turns, "TURN_S", TURN_S)
    engine = FakeEngine(max_docked=4, max_slots=2, faults=Faults(token_delay_s=TOKEN_S))
    settings = {"max_docked_versions": 4, "dock_timeout_s": 20.0}
    async with running(engine, crowded_store, settings) as started:
        yield started


async def keep_asking(app: Running, model: str, until_s: float) -> list[float]:
    """Ask one after another, and return how long each answer took, in seconds."""
    took_s = []
    while time.monotonic() < until_s:
        began_s = time.monotonic()
        response = await app.complete(model)
        assert response.status_code == 200, response.text
        assert response.json()["model"] == f"{model}@1"
        took_s.append(time.monotonic() - began_s)
    return took_s


async def test_a_third_adapter_runs_beside_a_hot_pair(crowded: Running) -> None:
    until_s = time.monotonic() + 1.5
    hot = [keep_asking(crowded, f"task{number % 2}", until_s) for number in range(8)]
    *_, cold = await asyncio.gather(*hot, keep_asking(crowded, "task2", until_s))
    assert len(cold) >= 4
    assert max(cold) < 0.8, "the worst wait"


async def test_of_four_times_as_many_busy_adapters_as_slots_each_progresses(
    crowded: Running,
) -> None:
    until_s = time.monotonic() + 2.0
    asked = [keep_asking(crowded, f"task{number % 8}", until_s) for number in range(16)]
    took = await asyncio.gather(*asked)
    assert min(map(len, took)) >= 2
    # Four turns of two adapters each make a round; the slack is for a machine under load.
    round_s = 4 * (TURN_S + ANSWER_S)
    assert max(map(max, took)) < 6 * round_s, "the worst wait"


async def test_of_a_thousand_adapters_each_is_served_by_sixteen_places(tmp_path: Path) -> None:
    store = MemoryStore(tmp_path)
    names = [f"task{number}" for number in range(1000)]
    for name in names:
        store.add(name, 1, probes=[])
        store.move(name, 1)
    at_once = asyncio.Semaphore(64)

    async def answered_by(app: Running, name: str) -> str:
        async with at_once:
            response = await app.complete(name)
        assert response.status_code == 200, response.text
        model: str = response.json()["model"]
        return model

    async with running(FakeEngine(), store, {"dock_timeout_s": 60.0}) as app:
        models = await asyncio.gather(*(answered_by(app, name) for name in names))
        assert models == [f"{name}@1" for name in names]
        assert len((await app.client.get("/v1/models")).json()["data"]) == 1 + 2 * len(names)
        assert len(app.parts.docks.berths) <= 16
