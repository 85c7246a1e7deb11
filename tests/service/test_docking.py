"""Versions are docked once, held while they are read, and gone only when nobody reads them."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from adapters.store import Version
from service import docking
from service.berths import Key
from service.checking import LetGo
from service.docking import Docks
from service.engine.fake import FakeEngine
from service.engine.protocol import DockedAdapter
from service.errors import AdapterUnavailable, DockRefused, EngineUnavailable, NoRoom
from service.metrics import Metrics
from tests.service.memory_store import make_version
from tests.service.running import until


class Docking:
    """Docks over a fake engine, with what they did written down."""

    def __init__(self, path: Path, max_versions: int, timeout_s: float) -> None:
        self.engine = FakeEngine(max_docked=max_versions)
        self.path = path
        self.held: set[str] = set()
        self.unfit: set[str] = set()
        self.probed: list[str] = []
        self.docks = Docks(
            self.engine,
            Metrics(),
            admit=self._admit,
            probe=self._probe,
            max_versions=max_versions,
            timeout_s=timeout_s,
        )

    async def start(self) -> None:
        await self.engine.start()
        self.docks.engine_up = True

    def version(self, number: int, name: str = "alpha") -> Version:
        return make_version(name, number, self.path)

    async def use(self, number: int) -> None:
        async with self.docks.lease(self.version(number)):
            pass

    def states(self) -> dict[int, str]:
        return {key.number: berth.state for key, berth in self.docks.berths.items()}

    async def _admit(self, version: Version) -> LetGo:
        if str(version) in self.unfit:
            raise DockRefused("the gate found something")
        self.held.add(str(version))
        return lambda: self.held.discard(str(version))

    async def _probe(self, version: Version, adapter: DockedAdapter) -> None:
        self.probed.append(adapter.name)
        if adapter.name in self.engine.faults.without_effect:
            raise DockRefused("it answers as the base does")


@pytest.fixture
async def two(tmp_path: Path) -> Docking:
    made = Docking(tmp_path, max_versions=2, timeout_s=0.2)
    await made.start()
    return made


async def test_many_requests_for_one_version_are_one_dock(two: Docking) -> None:
    two.engine.faults.dock_delay_s = 0.02
    await asyncio.gather(*(two.use(1) for _ in range(50)))
    assert await two.engine.docked() == {1}
    assert two.probed == ["alpha@1"]


async def test_the_least_recently_used_idle_version_makes_room(two: Docking) -> None:
    for number in (1, 2, 1, 3):
        await two.use(number)
    assert two.states() == {1: "docked", 3: "docked"}
    await until(lambda: two.held == {"alpha@1", "alpha@3"})


async def test_a_version_with_a_reader_never_makes_room(two: Docking) -> None:
    async with two.docks.lease(two.version(1)), two.docks.lease(two.version(2)):
        with pytest.raises(NoRoom, match="all 2 places in the engine were in use"):
            await two.use(3)
    await two.use(3)


async def test_whoever_waits_for_room_gets_it_when_a_reader_leaves(two: Docking) -> None:
    async with two.docks.lease(two.version(1)):
        async with two.docks.lease(two.version(2)):
            waiting = asyncio.create_task(two.use(3))
            await asyncio.sleep(0.01)
            assert not waiting.done()
        await waiting
    assert two.states() == {1: "docked", 3: "docked"}


async def test_a_drained_version_goes_when_its_last_reader_does(two: Docking) -> None:
    async with two.docks.lease(two.version(1)):
        two.docks.drain(Key("alpha", 1))
        await asyncio.sleep(0.01)
        assert two.states() == {1: "draining"}
        assert await two.engine.docked() == {1}
    await until(lambda: not two.docks.berths)
    assert await two.engine.docked() == set()
    await until(lambda: not two.held)


async def test_a_draining_version_that_is_wanted_again_stays(two: Docking) -> None:
    async with two.docks.lease(two.version(1)):
        two.docks.drain(Key("alpha", 1))
        await two.use(1)
    assert two.states() == {1: "docked"}


async def test_a_version_on_its_way_out_is_docked_again_under_a_new_id(two: Docking) -> None:
    await two.use(1)
    two.docks.drain(Key("alpha", 1))
    assert two.states() == {1: "leaving"}
    await two.use(1)
    assert two.states() == {1: "docked"}
    assert await two.engine.docked() == {2}


async def test_what_failed_is_undone_told_and_not_tried_again_at_once(
    two: Docking, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.engine.faults.without_effect.add("alpha@1")
    with pytest.raises(DockRefused, match="answers as the base does"):
        await two.use(1)
    assert (two.docks.berths, await two.engine.docked()) == ({}, set())
    await until(lambda: not two.held)
    with pytest.raises(AdapterUnavailable, match="answers as the base does"):
        await two.use(1)
    assert two.probed == ["alpha@1"]
    two.engine.faults.without_effect.clear()
    monkeypatch.setattr(docking, "RETRY_AFTER_FAILURE_S", 0.0)
    await two.use(1)
    assert not two.docks.failures


async def test_an_unfit_version_never_reaches_the_engine(two: Docking) -> None:
    two.unfit.add("alpha@1")
    with pytest.raises(DockRefused, match="the gate found something"):
        await two.use(1)
    async with two.docks.lease(two.version(2)) as adapter:
        assert adapter.int_id == 2
        assert await two.engine.docked() == {2}


async def test_a_load_that_fails_leaves_the_others_alone(two: Docking) -> None:
    two.engine.faults.failing_docks.add("alpha@2")
    async with two.docks.lease(two.version(1)):
        with pytest.raises(DockRefused, match="could not be loaded"):
            await two.use(2)
        assert two.states() == {1: "docked"}


async def test_one_waiter_that_leaves_does_not_spoil_the_dock(two: Docking) -> None:
    two.engine.faults.dock_delay_s = 0.03
    leaving, staying = asyncio.create_task(two.use(1)), asyncio.create_task(two.use(1))
    await asyncio.sleep(0.01)
    leaving.cancel()
    await staying
    with contextlib.suppress(asyncio.CancelledError):
        await leaving
    assert two.docks.berths[Key("alpha", 1)].leases == 0


async def test_a_dock_that_takes_too_long_is_not_waited_for_but_goes_on(two: Docking) -> None:
    two.engine.faults.dock_delay_s = 0.4
    with pytest.raises(AdapterUnavailable, match=r"takes longer than 0\.2 s"):
        await two.use(1)
    await until(lambda: two.states() == {1: "docked"})
    assert two.docks.berths[Key("alpha", 1)].leases == 0


async def test_a_dead_engine_holds_nothing_and_old_leases_do_no_harm(two: Docking) -> None:
    async with two.docks.lease(two.version(1)):
        two.engine.kill()
        assert two.docks.lose_all() == [Key("alpha", 1)]
        with pytest.raises(EngineUnavailable):
            await two.use(1)
        await two.start()
        await two.use(1)
        assert two.states() == {1: "docked"}
        assert two.docks.berths[Key("alpha", 1)].leases == 0
    assert two.docks.berths[Key("alpha", 1)].leases == 0
    assert two.probed == ["alpha@1"], "an immutable version is probed once"


async def test_a_dock_that_the_engines_death_interrupts_is_503_and_no_failure(
    two: Docking,
) -> None:
    two.engine.faults.dock_delay_s = 5.0
    waiting = asyncio.create_task(two.use(1))
    await asyncio.sleep(0.01)
    two.engine.kill()
    with pytest.raises(EngineUnavailable):
        await waiting
    assert not two.docks.failures


async def test_more_versions_than_places_all_get_their_turn(two: Docking) -> None:
    two.engine.faults.dock_delay_s = 0.001
    await asyncio.gather(*(two.use(number) for number in range(1, 13)))
    assert len(two.probed) == 12
    assert len(await two.engine.docked()) <= 2
