"""What is served follows the store, and never to something that does not answer."""

import pytest

from service import docking
from service.berths import Key
from service.engine.fake import FakeEngine
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, running, until


async def model_of(app: Running, model: str) -> str:
    response = await app.complete(model)
    assert response.status_code == 200, response.text
    answered: str = response.json()["model"]
    return answered


async def test_a_name_an_alias_and_a_version_name_an_exact_version(
    app: Running, memory_store: MemoryStore
) -> None:
    memory_store.move("alpha", 2, "candidate")
    await until(lambda: "candidate" in app.parts.reconciler.serving["alpha"])
    assert [
        await model_of(app, model)
        for model in ("alpha", "alpha@stable", "alpha@candidate", "alpha@3", "fake-base")
    ] == ["alpha@1", "alpha@1", "alpha@2", "alpha@3", "fake-base"]


async def test_a_move_by_another_process_takes_effect_within_a_second(
    engine: FakeEngine, memory_store: MemoryStore
) -> None:
    async with running(engine, memory_store, {"store_poll_s": 0.5}) as app:
        memory_store.move("alpha", 2)
        await until(lambda: app.parts.reconciler.serving["alpha"]["stable"] == 2, timeout_s=1.0)
        assert await model_of(app, "alpha") == "alpha@2"
        await until(lambda: Key("alpha", 1) not in app.parts.docks.berths)


async def test_what_is_published_now_can_be_asked_now(
    engine: FakeEngine, memory_store: MemoryStore
) -> None:
    async with running(engine, memory_store, {"store_poll_s": 1.0}) as app:
        memory_store.add("gamma", 1)
        assert await model_of(app, "gamma@1") == "gamma@1"
        memory_store.move("gamma", 1)
        assert await model_of(app, "gamma") == "gamma@1"


@pytest.mark.parametrize("fault", ["failing_docks", "without_effect", "not_finite"])
async def test_a_bad_version_leaves_traffic_where_it_was_and_says_why(
    app: Running,
    engine: FakeEngine,
    memory_store: MemoryStore,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    getattr(engine.faults, fault).add("alpha@2")
    memory_store.move("alpha", 2)
    await until(lambda: "alpha@stable" in app.parts.reconciler.problems)
    assert await model_of(app, "alpha") == "alpha@1"
    listed = (await app.client.get("/admin/adapters")).json()["adapters"][0]
    assert (listed["aliases"], listed["store_aliases"]) == ({"stable": 1}, {"stable": 2})
    assert "stays where it was" in listed["problems"]["alpha@stable"]
    assert (await app.client.get("/health/ready")).json()["problems"] > 0
    assert 'loradock_alias_moves_total{adapter="alpha",outcome="failed"} 1.0' in await app.metrics()
    refused = await app.complete("alpha@2")
    assert refused.status_code == 503
    assert "Retry-After" in refused.headers
    assert str(memory_store.root) not in refused.text

    getattr(engine.faults, fault).clear()
    monkeypatch.setattr(docking, "RETRY_AFTER_FAILURE_S", 0.0)
    await until(lambda: app.parts.reconciler.serving["alpha"] == {"stable": 2})
    assert await model_of(app, "alpha") == "alpha@2"
    assert not app.parts.reconciler.problems


async def test_an_adapter_that_left_the_store_is_404(
    app: Running, memory_store: MemoryStore
) -> None:
    memory_store.remove("beta")
    await until(lambda: "beta" not in app.parts.reconciler.serving)
    assert (await app.complete("beta")).status_code == 404
    assert (await app.complete("beta@1")).status_code == 404
    await until(lambda: Key("beta", 1) not in app.parts.docks.berths)


async def test_a_store_that_cannot_be_read_for_a_while_changes_nothing(
    app: Running, memory_store: MemoryStore
) -> None:
    memory_store.readable = False
    await until(lambda: "store" in app.parts.reconciler.problems)
    assert await model_of(app, "alpha") == "alpha@1"
    assert "loradock_store_readable 0.0" in await app.metrics()
    memory_store.readable = True
    await until(lambda: not app.parts.reconciler.problems)
    assert "loradock_store_readable 1.0" in await app.metrics()


async def test_a_store_whose_directory_is_gone_is_not_an_empty_one(
    app: Running, memory_store: MemoryStore
) -> None:
    there = memory_store.root
    memory_store.root = there / "unmounted"
    await until(lambda: "store" in app.parts.reconciler.problems)
    assert await model_of(app, "alpha") == "alpha@1"
    memory_store.root = there


async def test_a_store_that_is_suddenly_empty_is_one_that_is_not_mounted(
    app: Running, memory_store: MemoryStore
) -> None:
    there = memory_store._versions
    memory_store._versions = {}
    await until(lambda: "store" in app.parts.reconciler.problems)
    assert "is empty, expected the 2 adapter(s)" in app.parts.reconciler.problems["store"]
    assert await model_of(app, "alpha") == "alpha@1"
    memory_store._versions = there
    await until(lambda: "store" not in app.parts.reconciler.problems)


async def test_more_adapters_than_places_are_docked_when_asked(
    engine: FakeEngine, memory_store: MemoryStore
) -> None:
    for index in range(40):
        memory_store.add(f"task{index}", 1)
        memory_store.move(f"task{index}", 1)
    async with running(engine, memory_store, {"max_docked_versions": 4}) as app:
        for index in range(40):
            assert await model_of(app, f"task{index}") == f"task{index}@1"
        assert len(app.parts.docks.berths) <= 4
        listed = (await app.client.get("/v1/models")).json()["data"]
        assert len(listed) == 1 + 2 * 42 + 2


async def test_an_old_reading_does_not_undo_a_newer_move(app: Running) -> None:
    reconciler = app.parts.reconciler
    old = reconciler.catalogue.reading
    assert (await app.promote("alpha", 2, "fresh")).status_code == 200
    assert reconciler._adopt(old) == []
    assert reconciler.serving["alpha"] == {"stable": 1, "fresh": 2}
