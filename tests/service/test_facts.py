"""`GET /admin/adapters/{name}`: lineage, data, evaluations, moves, and where a rollback goes."""

import asyncio
from pathlib import Path

import pytest

from service.engine.fake import FakeEngine
from service.facts import TOLD_EVALUATIONS, TOLD_MOVES
from tests.service.memory_store import MemoryStore
from tests.service.page.docked import ADMIN_KEY, API_KEY, KEYS, make_store
from tests.service.running import Running, running
from tests.service.tiny_store import make_store as make_real_store


async def test_everything_that_the_store_knows_is_told(tmp_path: Path) -> None:
    async with running(FakeEngine(), make_store(tmp_path)) as app:
        told = (await app.client.get("/admin/adapters/pseudocode")).json()
    assert [one["version"] for one in told["versions"]] == [1, 2, 3]
    second = told["versions"][1]
    assert (second["parent"], second["base"]) == ("pseudocode@1", "smollm2-135m-instruct")
    assert (second["data"]["rows"], second["data"]["sources"]) == (3120, ["rows-2.csv"])
    assert second["training"]["final_loss"] == 0.0039
    assert second["run"]["seconds"] == 374.4
    assert [one["results"]["metrics"]["right"] for one in second["evaluations"]] == [0.905, 0.915]
    assert [(move["alias"], move["old"], move["new"]) for move in told["moves"]] == [
        ("stable", None, 1),
        ("stable", 1, 2),
    ]
    assert told["rollback"] == {"stable": 1}
    assert told["problem"] is None


async def test_where_a_rollback_goes_is_where_it_then_goes(app: Running) -> None:
    async def goes_to() -> dict[str, int]:
        told: dict[str, int] = (await app.client.get("/admin/adapters/alpha")).json()["rollback"]
        return told

    assert await goes_to() == {}
    for version in (2, 3):
        (await app.promote("alpha", version)).raise_for_status()
    for _ in range(2):
        wanted = (await goes_to())["stable"]
        move = await app.client.post("/admin/adapters/alpha/rollback", json={})
        assert move.json()["version"] == wanted


async def test_a_real_store_is_read_and_its_damage_is_said(tmp_path: Path) -> None:
    store, _ = make_real_store(tmp_path)
    store.record_evaluation("alpha", 2, {"metrics": {"right": 0.5}})
    async with running(FakeEngine(), store) as app:
        told = (await app.client.get("/admin/adapters/alpha")).json()
        assert told["versions"][1]["evaluations"][0]["results"] == {"metrics": {"right": 0.5}}
        assert told["versions"][0]["data"] is None
        history = tmp_path / "store" / "alpha" / "history.jsonl"
        await asyncio.to_thread(history.write_text, "not JSON\n")
        damaged = (await app.client.get("/admin/adapters/alpha")).json()
    assert "history.jsonl" in damaged["problem"]
    assert [one["version"] for one in damaged["versions"]] == [1, 2]


async def test_only_the_latest_are_told(app: Running, memory_store: MemoryStore) -> None:
    one = make_store(memory_store.root).evaluated["pseudocode", 2]
    memory_store.evaluated["alpha", 1] = one * TOLD_EVALUATIONS
    for number in range(TOLD_MOVES):
        memory_store.move("alpha", 1 + number % 2, alias="stable")
    told = (await app.client.get("/admin/adapters/alpha")).json()
    assert len(told["moves"]) == TOLD_MOVES
    assert len(told["versions"][0]["evaluations"]) == TOLD_EVALUATIONS


@pytest.mark.parametrize(
    ("key", "name", "status"),
    [(ADMIN_KEY, "gone", 404), (API_KEY, "pseudocode", 401), (ADMIN_KEY, "pseudocode", 200)],
)
async def test_it_is_for_the_admin_key_and_what_exists(
    tmp_path: Path, key: str, name: str, status: int
) -> None:
    async with running(FakeEngine(), make_store(tmp_path), KEYS) as app:
        headers = {"Authorization": f"Bearer {key}"}
        answer = await app.client.get(f"/admin/adapters/{name}", headers=headers)
        assert answer.status_code == status
