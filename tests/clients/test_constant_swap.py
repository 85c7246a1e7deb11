"""The hot-swap property on the real engine: eight streaming clients, versions that move all the time.

What each version says is known, so an answer by another, or by two, is found out. Half a minute
by default; `SWAP_SECONDS=600 scripts/test tests/clients/test_constant_swap.py` is the long run.
"""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import openai
import pytest

from adapters.errors import AdapterError
from adapters.store import Store
from tests.clients.conftest import ADMIN_KEY, API_KEY, WORDS
from tests.clients.parrots import Base, parroted
from tests.clients.process import Server

SECONDS = float(os.environ.get("SWAP_SECONDS", "20"))
PATIENCE_S = 200.0
CLIENTS = 8
pytestmark = [pytest.mark.engine, pytest.mark.timeout(SECONDS + 300)]


@dataclass
class Seen:
    """What happened: every request is in `answers` or in `failed`."""

    answers: Counter[str] = field(default_factory=Counter)
    moves: Counter[int] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    moved_in_mid_stream: int = 0

    def enough(self) -> bool:
        """Whether it was a test: on a busy machine that takes longer."""
        versions = {f"{name}@{n + 1}" for name, words in WORDS.items() for n in range(len(words))}
        return (
            self.answers.total() > SECONDS / 5
            and self.moves[200] > SECONDS / 5
            and self.moved_in_mid_stream > SECONDS / 10
            and versions <= set(self.answers)
        )


def judge(asked: str, named: set[str], text: str) -> str | None:
    """What is wrong with an answer, if anything is."""
    if len(named) != 1:
        return f"{asked}: one answer names {named}"
    (version,) = named
    name, _, number = version.partition("@")
    if asked.partition("@")[0] != name or (asked[-1].isdigit() and asked != version):
        return f"{asked}: answered by {version}"
    if not parroted(WORDS[name][int(number) - 1], text):
        return f"{asked}: {version} said {text[:40]!r}"
    return None


async def one_client(
    client: openai.AsyncOpenAI, seen: Seen, chance: random.Random, going: Callable[[], bool]
) -> None:
    while going():
        name = chance.choice(list(WORDS))
        asked = chance.choice([name, name, f"{name}@{chance.randint(1, len(WORDS[name]))}"])
        before = seen.moves[200]
        try:
            stream = await client.completions.create(
                model=asked,
                prompt="Say:",
                max_tokens=chance.choice([3, 30, 120]),
                temperature=0,
                stream=True,
            )
            chunks = [chunk async for chunk in stream]
        except openai.APIError as error:
            seen.failed.append(f"{asked}: {error!r}")
            continue
        text = "".join(chunk.choices[0].text for chunk in chunks if chunk.choices)
        named = {chunk.model for chunk in chunks}
        seen.answers[", ".join(named)] += 1
        seen.moved_in_mid_stream += seen.moves[200] > before
        wrong = judge(asked, named, text)
        if wrong:
            seen.wrong.append(wrong)


async def mover(
    admin: httpx.AsyncClient,
    store: Store,
    seen: Seen,
    chance: random.Random,
    going: Callable[[], bool],
) -> None:
    """Promote, roll back, and move aliases in the store as another process would."""
    while going():
        name = chance.choice(list(WORDS))
        version = chance.randint(1, len(WORDS[name]))
        kind = chance.random()
        if kind < 0.6:
            moved = await admin.post(f"/admin/adapters/{name}/promote", json={"version": version})
            seen.moves[moved.status_code] += 1
        elif kind < 0.8:
            moved = await admin.post(f"/admin/adapters/{name}/rollback", json={})
            seen.moves[moved.status_code] += 1
        else:
            await asyncio.to_thread(move_elsewhere, store, name, version)
        await asyncio.sleep(chance.choice([0.0, 0.05, 0.3]))


def put_back(store: Store) -> None:
    """The server is shared with other tests, which ask for what was there at the start."""
    for name in WORDS:
        while store.aliases(name)["stable"] != 1:
            move_elsewhere(store, name, 1)


def move_elsewhere(store: Store, name: str, version: int) -> None:
    expected = store.aliases(name)["stable"]
    try:
        store.set_alias(name, "stable", version, expected=expected, who="another", why="test")
    except AdapterError as error:
        # The server moved it in between, and the store says so.
        assert "expected" in str(error)  # noqa: PT017


def leases(server: Server) -> list[int]:
    """Those of every docked version."""
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    listed = httpx.get(f"{server.url}/admin/adapters", headers=headers).json()
    return [docked["leases"] for adapter in listed["adapters"] for docked in adapter["docked"]]


async def test_nothing_fails_and_nobody_is_answered_by_another_version(
    real_server: Server,
    parrot_store: tuple[Store, Base],
    record_property: Callable[[str, object], None],
) -> None:
    seen, chance = Seen(), random.Random(5)  # noqa: S311 - a schedule, not a secret
    started_s = time.monotonic()

    def going() -> bool:
        seconds = time.monotonic() - started_s
        return seconds < SECONDS or (not seen.enough() and seconds < SECONDS + PATIENCE_S)

    admin = httpx.AsyncClient(
        base_url=real_server.url, headers={"Authorization": f"Bearer {ADMIN_KEY}"}, timeout=60
    )
    asking = openai.AsyncOpenAI(
        base_url=f"{real_server.url}/v1", api_key=API_KEY, max_retries=0, timeout=60
    )
    async with admin, asking, asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(one_client(asking, seen, chance, going))
        group.create_task(mover(admin, parrot_store[0], seen, chance, going))
    await asyncio.to_thread(put_back, parrot_store[0])
    print(f"{seen.answers.total()} answers, {dict(seen.moves)} moves, {seen.moved_in_mid_stream=}")  # noqa: T201
    record_property("tries", seen.moves.total())
    record_property("lost", len(seen.failed))
    record_property("wrong", len(seen.wrong))
    assert seen.failed == []
    assert seen.wrong == []
    assert set(seen.moves) <= {200, 409}
    assert seen.enough(), seen
    assert set(await asyncio.to_thread(leases, real_server)) <= {0}
