"""Random schedules with pins, canaries, loads and unloads, and fewer slots than berths than versions.

As in `test_hot_swap`: an answer under another version's name, or one too few, is found out.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from service import turns
from service.engine.fake import FakeEngine
from service.parts import Parts
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, running, until
from tests.service.test_hot_swap import NAMES, Schedule, fill

SCHEDULES = 10
STEPS = 80
SETTINGS = {"max_docked_versions": 5, "dock_timeout_s": 20.0}


def idle(parts: Parts) -> bool:
    """Nobody holds anything, and everything that is to be docked is."""
    berths = parts.docks.berths
    quiet = all(berth.state == "docked" and berth.leases == 0 for berth in berths.values())
    return quiet and parts.docks.kept <= berths.keys()


class Steered:
    """A schedule of requests with what those with the admin key do among them."""

    def __init__(self, seed: int, engine: FakeEngine, store: MemoryStore, app: Running) -> None:
        self.schedule = Schedule(seed, engine, store, app)
        self._random = self.schedule._random
        self._app = app
        self.done: Counter[tuple[str, int]] = Counter()

    async def run(self) -> None:
        asked: list[Callable[[int], Awaitable[None]]] = [self.schedule._ask] * 12
        asked += [self._change] * 4 + [self._split] * 2 + [self.schedule._promote]
        tasks = []
        for number in range(STEPS):
            work = self._random.choice(asked)(number)
            tasks.append(asyncio.ensure_future(work))
            await asyncio.sleep(self._random.choice([0, 0, 0.001, 0.003]))
        await asyncio.gather(*tasks)

    async def _change(self, number: int) -> None:
        name = self._random.choice(list(NAMES))
        what = self._random.choice(["load", "unload", "pin", "unpin"])
        response = await self._app.client.post(
            f"/admin/adapters/{name}/{what}",
            json={"version": self._random.randint(1, NAMES[name])},
        )
        self.done[what, response.status_code] += 1

    async def _split(self, number: int) -> None:
        name = self._random.choice(list(NAMES))
        version = self._random.randint(1, NAMES[name])
        # A canary answers for the name like a promote does, so neither may judge the other's answers.
        with self.schedule._moving(name):
            response = await self._app.client.post(
                f"/admin/adapters/{name}/canaries", json={"version": version, "percent": 50}
            )
        self.done["canary", response.status_code] += 1


async def test_no_schedule_of_pins_and_canaries_loses_a_request_or_mixes_two_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "TURN_S", 0.005)
    statuses: Counter[int] = Counter()
    done: Counter[tuple[str, int]] = Counter()
    for seed in range(SCHEDULES):
        root = tmp_path / str(seed)
        root.mkdir()
        store = MemoryStore(root)
        fill(store)
        engine = FakeEngine(max_docked=5, max_slots=2)
        async with running(engine, store, SETTINGS) as app:
            steered = Steered(seed, engine, store, app)
            await steered.run()
            assert steered.schedule.wrong == [], f"seed {seed}"
            parts = app.parts
            await until(partial(idle, parts))
            assert (parts.admission.in_flight, parts.admission.queued) == (0, 0)
            assert (parts.docks._turns._turns, parts.docks._turns._line) == ({}, {})
            held = await engine.docked()
            assert held == {berth.adapter.int_id for berth in parts.docks.berths.values()}
        statuses += steered.schedule.statuses
        done += steered.done
    assert set(statuses) == {200}
    assert {status for _, status in done} <= {200, 409}
    for what in ("load", "unload", "pin", "unpin", "canary"):
        assert done[what, 200], f"no {what} was done"
