"""Random schedules of requests, moves and crashes: nothing fails, lies or leaks.

Each answer of the fake is a function of the version's name and the prompt, so an answer given
under the name of another version is found out. `SWAP_SCHEDULES=1000 scripts/test
tests/service/test_hot_swap.py` runs so many of each kind.
"""

import asyncio
import contextlib
import json
import math
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypedDict

import pytest

from service import supervisor
from service.engine.fake import FakeEngine, words_for
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, running, until

SCHEDULES = int(os.environ.get("SWAP_SCHEDULES", "24"))
STEPS = 60
NAMES = {"alpha": 4, "beta": 3, "gamma": 2}


class Chunk(TypedDict):
    """The part of a completion's chunk that is looked at."""

    model: str
    choices: list[dict[str, str]]


class Schedule:
    """One random run; what it saw is judged by the test."""

    def __init__(self, seed: int, engine: FakeEngine, store: MemoryStore, app: Running) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a schedule, not a secret
        self._engine = engine
        self._store = store
        self._app = app
        self.statuses: Counter[int] = Counter()
        self.moves: Counter[int] = Counter()
        self.cut = 0
        self.wrong: list[str] = []
        self.crashes = 0
        self._moves: defaultdict[str, float] = defaultdict(float)
        self._under_way: Counter[str] = Counter()

    async def run(self, *, crashes: bool) -> None:
        actions = [self._ask] * 12 + [self._promote] * 3 + [self._roll_back] * 2
        actions += [self._move_elsewhere]
        if crashes:
            actions = 2 * actions + [self._crash]
        tasks = []
        for number in range(STEPS):
            action = self._random.choice(actions)
            tasks.append(asyncio.create_task(action(number)))
            await asyncio.sleep(self._random.choice([0, 0, 0.001, 0.003]))
        await asyncio.gather(*tasks)

    def _name(self) -> str:
        return self._random.choice(list(NAMES))

    async def _ask(self, number: int) -> None:
        name = self._name()
        model = self._random.choice(
            [name, name, f"{name}@stable", f"{name}@{self._random.randint(1, NAMES[name])}", "base"]
        )
        model = self._engine.base_model if model == "base" else model
        prompt = f"prompt {number}"
        if self._random.random() < 0.5:
            await self._whole(model, prompt)
        else:
            await self._stream(model, prompt)

    async def _whole(self, model: str, prompt: str) -> None:
        response = await self._app.complete(model, prompt)
        self.statuses[response.status_code] += 1
        if response.status_code == 200:
            answer = response.json()
            self._judge(model, prompt, answer["model"], answer["choices"][0]["text"])

    async def _stream(self, model: str, prompt: str) -> None:
        response = await self._app.complete(model, prompt, stream=True)
        self.statuses[response.status_code] += 1
        if response.status_code != 200:
            return
        if '{"error"' in response.text:
            self.cut += 1
            return
        if not response.text.endswith("data: [DONE]\n\n"):
            self.wrong.append(f"{model}: a stream without an end")
        chunks = [
            parsed(frame) for frame in response.text.split("\n\n") if frame.startswith("data: {")
        ]
        text = "".join(chunk["choices"][0]["text"] for chunk in chunks)
        for named in {chunk["model"] for chunk in chunks}:
            self._judge(model, prompt, named, text)

    def _judge(self, asked: str, prompt: str, named: str, text: str) -> None:
        if text != words_for(named, prompt):
            self.wrong.append(f"{asked}: {named} did not say {text!r}")
        if asked.partition("@")[0] != named.partition("@")[0]:
            self.wrong.append(f"{asked}: answered by {named}")
        if asked[-1].isdigit() and asked != named:
            self.wrong.append(f"{asked}: answered by {named}")

    async def close(self) -> None:
        """Whatever happened before, the last word is a promote's."""
        for name, count in NAMES.items():
            version = self._random.randint(1, count)
            assert (await self._app.promote(name, version)).status_code == 200
            model = (await self._app.complete(name, "last")).json()["model"]
            if model != f"{name}@{version}":
                self.wrong.append(f"{name}: {model} after a promote of {version}")

    @contextlib.contextmanager
    def _moving(self, name: str) -> Iterator[Callable[[], bool]]:
        """Gives what tells whether nobody else has moved this name since."""
        self._moves[name] += 1
        self._under_way[name] += 1
        begun, alone = self._moves[name], self._under_way[name] == 1
        try:
            yield lambda: alone and self._moves[name] == begun
        finally:
            self._under_way[name] -= 1

    async def _promote(self, number: int) -> None:
        name = self._name()
        version = self._random.randint(1, NAMES[name])
        with self._moving(name) as undisturbed:
            response = await self._app.promote(name, version)
            self.moves[response.status_code] += 1
            if response.status_code != 200:
                return
            answer = await self._app.complete(name, f"after {number}")
            if answer.status_code != 200 or not undisturbed():
                return
            if answer.json()["model"] != f"{name}@{version}":
                self.wrong.append(f"{name}: {answer.json()['model']} after {version}")

    async def _roll_back(self, number: int) -> None:
        name = self._name()
        with self._moving(name):
            response = await self._app.client.post(f"/admin/adapters/{name}/rollback", json={})
            self.moves[response.status_code] += 1

    async def _move_elsewhere(self, number: int) -> None:
        name = self._name()
        # The server follows some time later, so from now on no promote is the last word.
        self._moves[name] = math.nan
        self._store.move(name, self._random.randint(1, NAMES[name]))

    async def _crash(self, number: int) -> None:
        self.crashes += 1
        self._engine.kill()


def parsed(frame: str) -> Chunk:
    chunk: Chunk = json.loads(frame.removeprefix("data: "))
    return chunk


def fill(store: MemoryStore) -> None:
    for name, count in NAMES.items():
        for number in range(1, count + 1):
            store.add(name, number)
        store.move(name, 1)


async def settled(app: Running, store: MemoryStore, engine: FakeEngine) -> None:
    """Wait until the server serves what the store says and nobody holds anything."""
    parts = app.parts
    await until(lambda: not parts.lifecycle.reasons())
    wanted = {name: store.aliases(name) for name in NAMES}
    await until(lambda: parts.reconciler.serving == wanted)
    await until(
        lambda: all(
            berth.state == "docked" and berth.leases == 0 for berth in parts.docks.berths.values()
        )
    )
    assert (parts.admission.in_flight, parts.admission.queued) == (0, 0)
    assert parts.lifecycle.under_way == 0
    assert not engine.running
    assert len(await engine.docked()) == len(parts.docks.berths)


@pytest.mark.timeout(300 + 3 * SCHEDULES)
@pytest.mark.parametrize("crashes", [False, True], ids=["swaps", "swaps and crashes"])
async def test_no_schedule_loses_a_request_or_mixes_two_versions(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
    *,
    crashes: bool,
) -> None:
    monkeypatch.setattr(supervisor, "WATCH_INTERVAL_S", 0.001)
    statuses: Counter[int] = Counter()
    moves: Counter[int] = Counter()
    crashed = cut = 0
    for seed in range(SCHEDULES):
        root = tmp_path / str(seed)
        root.mkdir()
        store = MemoryStore(root)
        fill(store)
        # Six places for nine versions: docking and undocking go on all the time.
        engine = FakeEngine(max_docked=6)
        async with running(engine, store, {"max_docked_versions": 6}) as app:
            schedule = Schedule(seed, engine, store, app)
            await schedule.run(crashes=crashes)
            assert schedule.wrong == [], f"seed {seed}"
            await settled(app, store, engine)
            await schedule.close()
            assert schedule.wrong == [], f"seed {seed}"
            await settled(app, store, engine)
        statuses += schedule.statuses
        moves += schedule.moves
        crashed += schedule.crashes
        cut += schedule.cut
    record_property("tries", moves.total() + crashed)
    record_property("lost", statuses.total() - statuses[200] - statuses[503])
    # Each schedule has asserted that it saw none.
    record_property("wrong", 0)
    assert statuses[200] > SCHEDULES * STEPS / 3
    assert moves[200] > SCHEDULES
    if crashes:
        assert crashed > SCHEDULES
        assert set(statuses) <= {200, 503}
        assert set(moves) <= {200, 409, 503}
    else:
        assert set(statuses) == {200}
        assert set(moves) <= {200, 409}
        assert cut == 0
