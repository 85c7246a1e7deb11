"""Load, unload and pin: what is docked follows what was asked for, in every server on the store."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.berths import Key
from service.engine.fake import FakeEngine
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, running, until


async def ask(app: Running, what: str, version: int, name: str = "alpha") -> httpx.Response:
    return await app.client.post(f"/admin/adapters/{name}/{what}", json={"version": version})


async def events(app: Running, after: int = 0) -> list[dict[str, Any]]:
    response = await app.client.get("/admin/events", params={"after": after, "limit": 1000})
    found: list[dict[str, Any]] = response.json()["events"]
    return found


def docked(app: Running) -> set[str]:
    berths = app.parts.docks.berths.values()
    return {str(berth.key) for berth in berths if berth.state == "docked"}


async def test_a_version_is_loaded_before_anybody_asks_for_it(app: Running) -> None:
    response = await ask(app, "load", 2)
    assert response.status_code == 200
    assert {"version": 2, "state": "docked", "leases": 0} in response.json()["docked"]
    assert docked(app) == {"alpha@1", "alpha@2", "beta@1"}


async def test_an_unfit_version_is_not_loaded_and_the_event_says_why(
    app: Running, engine: FakeEngine
) -> None:
    engine.faults.not_finite.add("alpha@2")
    response = await ask(app, "load", 2)
    assert response.status_code == 409
    assert "log-probabilit" in response.json()["error"]["message"]
    failed = [event for event in await events(app) if event["kind"] == "dock_failed"]
    assert [event["subject"] for event in failed] == ["alpha@2"]
    assert "log-probabilit" in failed[0]["reason"]


async def test_unloading_waits_for_the_last_request(app: Running, engine: FakeEngine) -> None:
    engine.faults.token_delay_s = 0.03
    asking = asyncio.create_task(app.complete("alpha@2"))
    await until(lambda: "alpha@2" in docked(app))
    response = await ask(app, "unload", 2)
    assert {"version": 2, "state": "draining", "leases": 1} in response.json()["docked"]
    assert (await asking).status_code == 200
    await until(lambda: "alpha@2" not in docked(app))


async def test_what_an_alias_serves_is_not_unloaded(app: Running) -> None:
    response = await ask(app, "unload", 1)
    assert response.status_code == 409
    assert "stable serves it" in response.json()["error"]["message"]
    assert "alpha@1" in docked(app)


async def test_a_pinned_version_stays_whoever_else_is_asked_for(
    engine: FakeEngine, memory_store: MemoryStore
) -> None:
    engine = FakeEngine(max_docked=2)
    async with running(engine, memory_store, {"max_docked_versions": 2}) as app:
        assert (await ask(app, "pin", 3)).json()["pins"] == [3]
        for model in ("alpha@1", "alpha@2", "beta", "alpha@1", "beta"):
            assert (await app.complete(model)).status_code == 200
        assert "alpha@3" in docked(app)
        assert (await ask(app, "unload", 3)).status_code == 409
        full = await ask(app, "pin", 1, "beta")
        assert full.status_code == 409
        assert "2 versions would be kept" in full.json()["error"]["message"]
        assert (await ask(app, "unpin", 3)).json()["pins"] == []
        await until(lambda: "alpha@3" not in docked(app))


async def test_pins_hold_over_a_restart_and_in_the_other_servers(
    memory_store: MemoryStore,
) -> None:
    async with (
        running(FakeEngine(), memory_store) as first,
        running(FakeEngine(), memory_store) as other,
    ):
        await ask(first, "pin", 2)
        await until(lambda: "alpha@2" in docked(other))
        told = [(event["kind"], event["subject"]) for event in await events(other)]
        assert ("pinned", "alpha@2") in told
    async with running(FakeEngine(), memory_store) as again:
        assert "alpha@2" in docked(again)


async def test_a_pin_survives_the_engines_death(app: Running, engine: FakeEngine) -> None:
    await ask(app, "pin", 2)
    engine.kill()
    await until(lambda: "engine_back" in {event.kind for event in app.parts.events.after(0, 99)})
    await until(lambda: not app.parts.lifecycle.reasons() and "alpha@2" in docked(app))
    kinds = [event["kind"] for event in await events(app)]
    assert kinds.index("engine_died") < kinds.index("engine_back")


async def test_a_damaged_file_changes_nothing_and_is_told(app: Running, tmp_path: Path) -> None:
    await ask(app, "pin", 2)
    (tmp_path / "serving.json").write_text("{", encoding="utf-8")
    await until(lambda: "traffic" in app.parts.reconciler.problems)
    listed = (await app.client.get("/admin/adapters")).json()
    assert "serving.json" in listed["problems"]["traffic"]
    assert listed["adapters"][0]["pins"] == [2]
    assert "alpha@2" in docked(app)
    assert (await ask(app, "pin", 3)).status_code == 409
    (tmp_path / "serving.json").unlink()
    await until(lambda: "traffic" not in app.parts.reconciler.problems)
    await until(lambda: not app.parts.docks.kept)


async def test_events_are_asked_for_piece_by_piece(app: Running) -> None:
    first = await events(app)
    assert {event["kind"] for event in first} == {"docked"}
    await app.promote("alpha", 2)
    later = await events(app, after=first[-1]["number"])
    told = [(event["kind"], event["subject"]) for event in later]
    assert ("docked", "alpha@2") in told
    assert ("alias_moved", "alpha@stable") in told
    limited = await app.client.get("/admin/events", params={"limit": 1})
    assert len(limited.json()["events"]) == 1


@pytest.mark.parametrize("query", [{"after": -1}, {"limit": 0}, {"limit": "many"}])
async def test_a_wrong_query_is_400(app: Running, query: dict[str, str]) -> None:
    response = await app.client.get("/admin/events", params=query)
    assert response.status_code == 400, response.text
    assert response.json()["error"]["param"] == next(iter(query))


async def test_an_unknown_version_is_404(app: Running) -> None:
    for what in ("load", "unload", "pin"):
        assert (await ask(app, what, 9)).status_code == 404
    assert Key("alpha", 9) not in app.parts.docks.berths
