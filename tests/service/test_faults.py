"""Faults from outside: files damaged under the server, floods, clocks that jump.

The numbers are those of the table in `docs/reliability.md`, which names these tests.
"""

import ast
import asyncio
import json
import os
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from adapters.store import Store
from service.checking import Checker
from service.engine.fake import FakeEngine
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, running, until
from tests.service.tiny_store import make_store

SERVICE = Path(__file__).resolve().parents[2] / "service"
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


def emptied(directory: Path) -> None:
    (directory / WEIGHTS).write_bytes(b"")


def truncated(directory: Path) -> None:
    weights = directory / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-10])


def removed(directory: Path) -> None:
    (directory / WEIGHTS).unlink()


def flipped(directory: Path) -> None:
    raw = bytearray((directory / WEIGHTS).read_bytes())
    raw[-3] ^= 0x40
    (directory / WEIGHTS).write_bytes(raw)


def header_bomb(directory: Path) -> None:
    (directory / WEIGHTS).write_bytes(struct.pack("<Q", 1 << 60) + b"{}")


def not_json(directory: Path) -> None:
    (directory / CONFIG).write_bytes(b"\xff{")


def other_config(directory: Path) -> None:
    config = json.loads((directory / CONFIG).read_text(encoding="utf-8"))
    (directory / CONFIG).write_text(json.dumps({**config, "peft_type": "IA3", "lora_alpha": 1e9}))


def huge_config(directory: Path) -> None:
    with (directory / CONFIG).open("wb") as file:
        file.truncate(100 << 20)


def linked(directory: Path) -> None:
    moved = directory.parent.parent / "elsewhere"
    (directory / WEIGHTS).rename(moved)
    (directory / WEIGHTS).symlink_to(moved)


def fifo(directory: Path) -> None:
    (directory / WEIGHTS).unlink()
    os.mkfifo(directory / WEIGHTS)


def pickled(directory: Path) -> None:
    (directory / "adapter_model.bin").write_bytes(b"\x80\x04.")


DAMAGES = [
    *(emptied, truncated, removed, flipped, header_bomb, not_json, other_config),
    *(huge_config, linked, fifo, pickled),
]


@pytest.fixture
async def served(tmp_path: Path, engine: FakeEngine) -> AsyncIterator[tuple[Running, Store]]:
    """The app over a real store with the real gate: alpha@1 is docked, alpha@2 is not."""
    store, base = make_store(tmp_path)
    async with running(engine, store, admit=Checker(store, base, 16).admit) as app:
        yield app, store


def open_for_damage(directory: Path) -> Path:
    directory.chmod(0o755)
    for path in directory.iterdir():
        path.chmod(0o644)
    return directory


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_version_damaged_in_the_store_is_refused_and_nothing_else_changes(
    served: tuple[Running, Store], engine: FakeEngine, damage: Callable[[Path], None]
) -> None:
    app, store = served
    before = (await app.complete("alpha")).json()["choices"]
    damage(open_for_damage(store.resolve("alpha@2").path))
    asked = await asyncio.wait_for(app.complete("alpha@2"), 5)
    assert (asked.status_code, asked.json()["error"]["code"]) == (503, "adapter_unavailable")
    assert "/" not in asked.json()["error"]["message"].replace("/admin/adapters", "")
    assert (await app.promote("alpha", 2)).status_code == 409
    assert engine.alive()
    assert (await app.complete("alpha")).json()["choices"] == before
    assert [name for _, name, _ in engine.requests if name == "alpha@2"] == []
    problems = (await app.client.get("/admin/adapters")).json()["adapters"][0]["problems"]
    assert "alpha@2" in problems
    assert 'loradock_docks_total{adapter="alpha",outcome="failed"}' in await app.metrics()


@pytest.mark.parametrize("damage", [removed, flipped, truncated])
async def test_a_version_damaged_while_it_is_docked_serves_on_and_does_not_come_back(
    served: tuple[Running, Store], engine: FakeEngine, damage: Callable[[Path], None]
) -> None:
    app, store = served
    await app.complete("alpha")
    damage(open_for_damage(store.resolve("alpha@1").path))
    assert (await app.complete("alpha")).status_code == 200
    engine.kill()
    await until(lambda: engine.alive() and not app.parts.lifecycle.reasons())
    assert (await app.complete("alpha")).status_code == 503
    assert (await app.complete(engine.base_model)).status_code == 200
    assert (await app.complete("alpha@2")).json()["model"] == "alpha@2"


async def test_ten_thousand_requests_are_answered_or_turned_away_and_none_is_lost(
    engine: FakeEngine, memory_store: MemoryStore, record_property: Callable[[str, object], None]
) -> None:
    limits = {"max_in_flight_requests": 64, "max_queued_requests": 512}
    codes: Counter[int] = Counter()

    async def ask() -> None:
        response = await app.complete("alpha")
        codes[response.status_code] += 1
        assert response.status_code == 200 or int(response.headers["retry-after"]) > 0

    async with running(engine, memory_store, limits) as app:
        engine.faults.token_delay_s = 0.001
        for _ in range(10):
            async with asyncio.TaskGroup() as group:
                for _ in range(1000):
                    group.create_task(ask())
        assert (app.parts.admission.in_flight, app.parts.admission.queued) == (0, 0)
        assert app.parts.lifecycle.under_way == 0
    record_property("tries", 10_000)
    record_property("lost", 10_000 - codes[200] - codes[503])
    assert set(codes) == {200, 503}
    assert codes.total() == 10_000
    assert codes[200] >= 10 * (64 + 512)


def test_nothing_is_decided_by_a_clock_that_may_jump() -> None:
    """The clock on the wall only dates answers, events and keys; waiting is on the monotonic one."""
    users = {
        path.name
        for path in SERVICE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in {("time", "time"), ("datetime", "now")}
    }
    dates_what_it_writes = {"chat.py", "solver.py", "responses_answers.py", "fake_openai.py"}
    dates_what_it_writes |= {"continuing.py"}
    dates_what_it_keeps = {"app.py", "changes.py", "events.py", "keyfile.py"}
    doctor_looks_at_it = {"machine.py", "files.py"}
    assert users <= dates_what_it_writes | dates_what_it_keeps | doctor_looks_at_it
