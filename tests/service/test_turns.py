"""Few versions are let in at a time, and every one of them gets its turn."""

import asyncio
import contextlib
import random
import time

import pytest

from service import turns
from service.berths import Key
from service.errors import NoRoom
from service.turns import Turns

A, B, C, D = (Key(name, 1) for name in "abcd")


class Crowd:
    """Requests for versions, with who is in at the moment."""

    def __init__(self, slots: int, berths: int, timeout_s: float = 5.0) -> None:
        self.turns = Turns(slots=slots, berths=berths, timeout_s=timeout_s)
        self.inside: list[Key] = []
        self.most = 0
        self.waits_s: dict[Key, list[float]] = {}

    async def ask(self, key: Key, seconds: float = 0.0) -> None:
        asked_s = time.monotonic()
        async with self.turns.turn(key):
            self.waits_s.setdefault(key, []).append(time.monotonic() - asked_s)
            self.inside.append(key)
            self.most = max(self.most, len(set(self.inside)))
            try:
                await asyncio.sleep(seconds)
            finally:
                self.inside.remove(key)

    async def keep_asking(self, key: Key, seconds: float, until_s: float) -> None:
        while time.monotonic() < until_s:
            await self.ask(key, seconds)


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN_S", 0.02)


async def test_those_within_the_slots_never_wait() -> None:
    crowd = Crowd(slots=2, berths=4)
    await asyncio.gather(*(crowd.ask(key, 0.01) for key in (A, B, A, B)))
    assert max(wait for waits in crowd.waits_s.values() for wait in waits) < 0.01


async def test_a_third_behind_a_pair_that_is_always_busy_gets_its_turn() -> None:
    crowd = Crowd(slots=2, berths=4)
    until_s = time.monotonic() + 0.6
    hot = [crowd.keep_asking(key, 0.01, until_s) for key in (A, A, A, B, B, B)]
    await asyncio.gather(*hot, crowd.keep_asking(C, 0.01, until_s))
    assert crowd.most == 2
    assert len(crowd.waits_s[C]) >= 5
    worst_s = max(wait for waits in crowd.waits_s.values() for wait in waits)
    assert worst_s < 0.3, "a turn and what is under way, twice, with room for a slow machine"


@pytest.mark.parametrize("slots", [1, 2, 3])
async def test_of_many_busy_versions_each_makes_progress(slots: int) -> None:
    crowd = Crowd(slots=slots, berths=3)
    until_s = time.monotonic() + 1.0
    keys = [Key("many", number) for number in range(10)]
    await asyncio.gather(*(crowd.keep_asking(key, 0.005, until_s) for key in keys * 2))
    assert crowd.most <= slots
    assert set(crowd.waits_s) == set(keys)
    counts = [len(waits) for waits in crowd.waits_s.values()]
    assert min(counts) * 4 >= max(counts), counts


async def test_a_long_answer_does_not_hold_the_line_up_while_others_could_go() -> None:
    crowd = Crowd(slots=2, berths=4)
    long = asyncio.create_task(crowd.ask(A, 1.0))
    until_s = time.monotonic() + 0.5
    hot = asyncio.create_task(crowd.keep_asking(B, 0.005, until_s))
    await asyncio.sleep(0.03)
    await asyncio.wait_for(crowd.ask(C), 0.4)
    assert not long.done()
    await hot
    long.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await long


async def test_kept_versions_leave_one_berth_that_the_others_share_in_turn() -> None:
    crowd = Crowd(slots=3, berths=3)
    crowd.turns.kept = frozenset({A, B})
    until_s = time.monotonic() + 0.5
    asked = (A, B, C, C, D, D)
    await asyncio.gather(*(crowd.keep_asking(key, 0.005, until_s) for key in asked))
    assert min(len(crowd.waits_s[key]) for key in (C, D)) >= 3


async def test_whoever_waits_too_long_is_told() -> None:
    crowd = Crowd(slots=1, berths=2, timeout_s=0.05)
    long = asyncio.create_task(crowd.ask(A, 0.2))
    await asyncio.sleep(0)
    with pytest.raises(NoRoom, match="b@1 is not served now: all 1 places"):
        await crowd.ask(B)
    await crowd.ask(A)
    await long
    await crowd.ask(B)


async def test_random_comings_and_goings_leave_nothing_behind() -> None:
    chance = random.Random(7)  # noqa: S311 - a schedule, not a secret
    crowd = Crowd(slots=2, berths=3, timeout_s=0.05)
    keys = [Key("any", number) for number in range(5)]

    async def one() -> None:
        await asyncio.sleep(chance.random() * 0.5)
        with contextlib.suppress(NoRoom, TimeoutError):
            async with asyncio.timeout(chance.random() * 0.06):
                await crowd.ask(chance.choice(keys), chance.random() * 0.02)

    await asyncio.gather(*(one() for _ in range(2000)))
    assert crowd.most <= 2
    assert (crowd.turns._turns, crowd.turns._line) == ({}, {})
    await crowd.ask(keys[0])
