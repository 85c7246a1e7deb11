"""`verify` asks one adapter more, so a key must open that one too."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from service import keyfile
from service.keyfile import Wanted
from tests.service.running import Running, running
from tests.service.solving.scripted import QUESTION, ScriptedEngine, store_with_solver

CHAT = {"model": "pseudocode", "messages": [{"role": "user", "content": QUESTION}]}


class Locked(NamedTuple):
    """The app, and keys for the solver alone, for solver and verifier, and without a limit."""

    app: Running
    solver: str
    both: str
    unlimited: str

    async def ask(self, key: str, **body: object) -> httpx.Response:
        route = "/v1/chat/completions" if "messages" in body else "/v1/pseudocode/solve"
        headers = {"Authorization": f"Bearer {key}"}
        return await self.app.client.post(route, json=body, headers=headers)


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[Locked]:
    path = tmp_path / "keys.json"
    keys = [
        keyfile.create(path, Wanted(name="k", adapters=adapters))[1]
        for adapters in (["pseudocode"], ["pseudocode", "pseudocode-verifier"], None)
    ]
    engine = ScriptedEngine(scores={"left = ": 0.9})
    store = store_with_solver(tmp_path, verifier=True)
    async with running(engine, store, {"key_file": path}) as app:
        yield Locked(app, *keys)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "body",
    [{"question": QUESTION, "verify": True}, {**CHAT, "solve": {"verify": True}}],
    ids=["solve", "chat"],
)
async def test_a_key_that_does_not_open_the_verifier_cannot_verify(
    locked: Locked, body: dict[str, object], stream: bool
) -> None:
    refused = await locked.ask(locked.solver, **body, stream=stream)
    assert refused.status_code == 403
    error = refused.json()["error"]
    assert (error["code"], error["type"]) == ("model_not_allowed", "permission_error")
    assert "'pseudocode-verifier'" in error["message"]
    for key in (locked.both, locked.unlimited):
        assert (await locked.ask(key, **body, stream=stream)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{"question": QUESTION}, CHAT, {**CHAT, "solve": {"samples": 2}}, {**CHAT, "solve": False}],
)
async def test_without_verify_the_solver_is_enough(locked: Locked, body: dict[str, object]) -> None:
    assert (await locked.ask(locked.solver, **body)).status_code == 200
