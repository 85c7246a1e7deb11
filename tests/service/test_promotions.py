"""Promote and rollback over HTTP: all of it happens, or none."""

import asyncio

import pytest

from service.berths import Key
from service.engine.fake import FakeEngine
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, until


async def roll_back(
    app: Running, name: str, alias: str = "stable"
) -> tuple[int, dict[str, object]]:
    response = await app.client.post(f"/admin/adapters/{name}/rollback", json={"alias": alias})
    return response.status_code, response.json()


async def test_promote_and_rollback_move_store_and_traffic(
    app: Running, memory_store: MemoryStore
) -> None:
    response = await app.promote("alpha", 2)
    assert response.json() == {"name": "alpha", "alias": "stable", "version": 2, "previous": 1}
    assert memory_store.aliases("alpha") == {"stable": 2}
    assert (await app.complete("alpha")).json()["model"] == "alpha@2"
    await until(lambda: Key("alpha", 1) not in app.parts.docks.berths)

    assert await roll_back(app, "alpha") == (
        200,
        {"name": "alpha", "alias": "stable", "version": 1, "previous": 2},
    )
    assert memory_store.aliases("alpha") == {"stable": 1}
    assert (await app.complete("alpha")).json()["model"] == "alpha@1"


async def test_the_reason_given_is_in_the_stores_history(
    app: Running, memory_store: MemoryStore
) -> None:
    body = {"version": 2, "why": "it scored higher"}
    await app.client.post("/admin/adapters/alpha/promote", json=body)
    assert memory_store.history("alpha")[-1].why == "it scored higher"


async def test_a_request_keeps_the_version_it_started_with(
    app: Running, engine: FakeEngine
) -> None:
    await app.complete("alpha@2")
    engine.faults.token_delay_s = 0.02
    running = asyncio.create_task(app.complete("alpha"))
    await until(lambda: engine.running)
    assert (await app.promote("alpha", 2)).status_code == 200
    assert app.parts.docks.berths[Key("alpha", 1)].state == "draining"
    assert (await running).json()["model"] == "alpha@1"
    await until(lambda: Key("alpha", 1) not in app.parts.docks.berths)


@pytest.mark.parametrize("fault", ["failing_docks", "without_effect", "not_finite"])
async def test_a_version_that_fails_is_409_with_the_reason_and_moves_nothing(
    app: Running, engine: FakeEngine, memory_store: MemoryStore, fault: str
) -> None:
    getattr(engine.faults, fault).add("alpha@2")
    response = await app.promote("alpha", 2)
    assert response.status_code == 409, response.text
    assert "alpha@stable was not moved: alpha@2" in response.json()["error"]["message"]
    assert memory_store.aliases("alpha") == {"stable": 1}
    assert (await app.complete("alpha")).json()["model"] == "alpha@1"
    getattr(engine.faults, fault).clear()
    assert (await app.promote("alpha", 2)).status_code == 200, "asking again tries again"


async def test_what_does_not_exist_is_404(app: Running) -> None:
    assert (await app.promote("alpha", 9)).status_code == 404
    assert (await app.promote("nobody", 1)).status_code == 404
    assert (await roll_back(app, "nobody"))[0] == 404
    assert (await roll_back(app, "alpha", "nothing"))[0] == 404


async def test_there_is_nothing_before_the_first_version(app: Running) -> None:
    status, body = await roll_back(app, "beta")
    assert status == 409
    assert "has never pointed elsewhere" in str(body)


async def test_a_new_alias_serves_at_once(app: Running) -> None:
    response = await app.promote("alpha", 3, "canary")
    assert response.json()["previous"] is None
    assert (await app.complete("alpha@canary")).json()["model"] == "alpha@3"


@pytest.mark.parametrize("alias", ["3", "UPPER", "a b", "", "../x", "x" * 65])
async def test_an_alias_that_is_none_is_400(app: Running, alias: str) -> None:
    assert (await app.promote("alpha", 2, alias)).status_code == 400


async def test_promotes_at_the_same_time_end_in_one_order(
    app: Running, memory_store: MemoryStore
) -> None:
    results = await asyncio.gather(*(app.promote("alpha", 1 + n % 3) for n in range(12)))
    assert {result.status_code for result in results} == {200}
    served = (await app.complete("alpha")).json()["model"]
    assert served == f"alpha@{memory_store.aliases('alpha')['stable']}"
