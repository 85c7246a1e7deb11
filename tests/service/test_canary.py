"""A canary takes its share, always the same people, until its alias moves, on every server."""

from collections import Counter
from pathlib import Path

import httpx
import pytest

from service.engine.fake import FakeEngine
from service.steering import over
from service.traffic import Canary, takes_canary
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, running, until

PEOPLE = [f"person-{number}" for number in range(100)]


async def start(app: Running, percent: float = 30, version: int = 2) -> httpx.Response:
    return await app.client.post(
        "/admin/adapters/alpha/canaries", json={"version": version, "percent": percent}
    )


async def end(app: Running, alias: str = "stable") -> httpx.Response:
    return await app.client.delete(f"/admin/adapters/alpha/canaries/{alias}")


async def answered_by(app: Running, person: str, model: str = "alpha") -> str:
    response = await app.complete(model, user=person)
    assert response.status_code == 200, response.text
    answered: str = response.json()["model"]
    return answered


async def shares(app: Running) -> dict[str, str]:
    return {person: await answered_by(app, person) for person in PEOPLE}


def live(app: Running) -> bool:
    return bool(app.parts.reconciler.steering.canaries)


def test_shares_are_near_their_percentage_and_grow_without_moving_anybody_back() -> None:
    def takers(percent: float) -> set[str]:
        fields = {"version": 2, "against": 1, "started": "2026-01-01T00:00:00Z", "why": ""}
        canary = Canary.model_validate({**fields, "percent": percent})
        people = [f"p{number}" for number in range(10_000)]
        return {person for person in people if takes_canary(canary, "alpha@stable", person)}

    few, more = takers(10), takers(25)
    assert few < more
    assert 850 < len(few) < 1150
    assert 2300 < len(more) < 2700


async def test_a_share_of_people_get_the_canary_and_always_the_same(app: Running) -> None:
    state = (await start(app)).json()
    assert state["canaries"]["stable"]["version"] == 2
    first = await shares(app)
    assert set(first.values()) == {"alpha@1", "alpha@2"}
    assert 10 < Counter(first.values())["alpha@2"] < 50
    assert await shares(app) == first
    assert {await answered_by(app, person, "alpha@1") for person in PEOPLE} == {"alpha@1"}


async def test_a_header_decides_where_there_is_no_user(app: Running) -> None:
    await start(app, percent=50)
    seen = set()
    for person in PEOPLE[:20]:
        answers = {
            (
                await app.client.post(
                    "/v1/completions",
                    json={"model": "alpha", "prompt": "Hi"},
                    headers={"x-sticky-key": person},
                )
            ).json()["model"]
            for _ in range(3)
        }
        assert answers == {await answered_by(app, person)}, "as the field user would"
        seen |= answers
    assert seen == {"alpha@1", "alpha@2"}


async def test_nobody_in_particular_gets_it_by_chance(app: Running) -> None:
    await start(app, percent=50)
    answered = [(await app.complete("alpha")).json()["model"] for _ in range(60)]
    assert set(answered) == {"alpha@1", "alpha@2"}


async def test_metrics_are_apart_and_show_the_share(app: Running) -> None:
    await start(app, percent=50)
    await shares(app)
    text = await app.metrics()
    assert 'loradock_canary_ratio{adapter="alpha",alias="stable",version="2"} 0.5' in text
    for version in (1, 2):
        line = f'loradock_request_duration_seconds_count{{adapter="alpha",version="{version}"}}'
        assert line in text


@pytest.mark.parametrize("version", [2, 3])
async def test_a_promotion_ends_it(app: Running, tmp_path: Path, version: int) -> None:
    await start(app)
    await app.promote("alpha", version)
    assert set((await shares(app)).values()) == {f"alpha@{version}"}
    assert '"canaries"' not in (tmp_path / "serving.json").read_text(encoding="utf-8")
    await until(lambda: not live(app))
    assert "loradock_canary_ratio{" not in await app.metrics()


async def test_promoting_what_is_served_already_ends_it_too(app: Running) -> None:
    await start(app)
    await app.promote("alpha", 1)
    assert set((await shares(app)).values()) == {"alpha@1"}


async def test_a_rollback_ends_it(app: Running) -> None:
    await app.promote("alpha", 3)
    await start(app)
    await app.client.post("/admin/adapters/alpha/rollback", json={})
    assert set((await shares(app)).values()) == {"alpha@1"}


async def test_a_move_by_another_process_ends_it_for_good(
    app: Running, memory_store: MemoryStore
) -> None:
    await start(app)
    memory_store.move("alpha", 3)
    await until(lambda: app.parts.reconciler.serving["alpha"] == {"stable": 3})
    await until(lambda: not over(app.parts.reconciler.catalogue.reading))
    memory_store.move("alpha", 1)
    await until(lambda: app.parts.reconciler.serving["alpha"] == {"stable": 1})
    assert set((await shares(app)).values()) == {"alpha@1"}


async def test_it_is_ended_on_request(app: Running) -> None:
    await start(app)
    assert (await end(app)).json()["canaries"] == {}
    assert set((await shares(app)).values()) == {"alpha@1"}
    again = await end(app)
    assert again.status_code == 409
    assert "has no canary" in again.json()["error"]["message"]


async def test_two_servers_on_one_store_agree_on_everybody(memory_store: MemoryStore) -> None:
    async with (
        running(FakeEngine(), memory_store) as first,
        running(FakeEngine(), memory_store) as other,
    ):
        await start(first)
        await until(lambda: live(other))
        await until(lambda: len(other.parts.docks.berths) == 3)
        assert await shares(other) == await shares(first)
        await end(other)
        await until(lambda: not live(first))


async def test_an_unfit_version_gets_no_share(app: Running, engine: FakeEngine) -> None:
    engine.faults.without_effect.add("alpha@2")
    response = await start(app)
    assert response.status_code == 409
    assert "exactly as the base" in response.json()["error"]["message"]
    assert set((await shares(app)).values()) == {"alpha@1"}


async def test_one_that_does_not_survive_a_restart_answers_nobody(
    app: Running, engine: FakeEngine
) -> None:
    await start(app)
    engine.faults.failing_docks.add("alpha@2")
    engine.kill()
    await until(lambda: "engine_back" in {event.kind for event in app.parts.events.after(0, 99)})
    await until(lambda: not app.parts.lifecycle.reasons())
    assert set((await shares(app)).values()) == {"alpha@1"}


async def test_the_aliass_own_version_and_unknown_ones_are_refused(app: Running) -> None:
    assert (await start(app, version=1)).status_code == 409
    assert (await start(app, version=9)).status_code == 404
    assert (await start(app, percent=100)).status_code == 400
