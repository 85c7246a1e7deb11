"""Keys open what they are for, as often as they may, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from service import keyfile, keys
from service.engine.fake import FakeEngine
from service.errors import ModelNotAllowed, RateLimited
from service.events import Events
from service.keyfile import Role, Wanted
from service.keys import Grant, Keys
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, running, until

BOTH: frozenset[Role] = frozenset({"inference", "admin"})
SECRETS: dict[Role, SecretStr | None] = {
    "inference": SecretStr("inference-secret"),
    "admin": SecretStr("admin-secret"),
}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_without_keys_everything_is_open() -> None:
    assert Keys({"inference": None, "admin": None}, None, Events()).find(None, BOTH) is not None


@pytest.mark.parametrize(
    ("header", "opened"),
    [
        ("Bearer inference-secret", {"inference"}),
        ("bearer admin-secret", {"admin"}),
        ("Bearer  inference-secret ", {"inference"}),
        ("Basic inference-secret", set()),
        ("inference-secret", set()),
        ("Bearer inference-secret-and-more", set()),
        ("Bearer ", set()),
        ("Bearer \udcff", set()),
        ("", set()),
        (None, set()),
    ],
)
def test_a_header_opens_the_role_of_its_key(header: str | None, opened: set[Role]) -> None:
    fixed = Keys(SECRETS, None, Events())
    assert {role for role in BOTH if fixed.find(header, frozenset({role}))} == opened


def test_a_key_file_without_keys_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    record, _ = keyfile.create(path, Wanted(name="ann"))
    keyfile.revoke(path, record.id)
    assert Keys({}, path, Events()).find(None, BOTH) is None


def test_a_minutes_requests_may_come_at_once_and_then_at_their_pace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 100.0
    monkeypatch.setattr("service.keys.time.monotonic", lambda: now_s)
    grant = Grant("k", requests_per_min=30)
    for _ in range(30):
        grant.enter()
    with pytest.raises(RateLimited, match="30 requests a minute") as refused:
        grant.enter()
    assert refused.value.retry_after_s == 2
    now_s += 2.0
    grant.enter()
    with pytest.raises(RateLimited):
        grant.enter()
    now_s += 3600.0
    for _ in range(30):
        grant.enter()
    with pytest.raises(RateLimited):
        grant.enter()


def test_what_has_ended_makes_room_for_the_next() -> None:
    grant = Grant("k", max_concurrent=2)
    grant.enter()
    grant.enter()
    with pytest.raises(RateLimited, match="2 requests open"):
        grant.enter()
    grant.leave()
    grant.enter()


def test_a_limited_key_opens_its_adapters_under_all_their_names() -> None:
    grant = Grant("k", adapters=frozenset({"alpha"}))
    for model in ("alpha", "alpha@stable", "alpha@3"):
        grant.require(model)
    for model in ("beta", "alphabet", "fake-base", ""):
        with pytest.raises(ModelNotAllowed, match="expected one of: alpha"):
            grant.require(model)


class Served:
    """The app with a key file of three keys."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.key = self.create(name="open")
        self.limited = self.create(name="limited", adapters=["alpha"], max_concurrent=1)
        self.admin = self.create(name="admin", scope="admin")

    def create(self, **fields: object) -> str:
        return keyfile.create(self.path, Wanted.model_validate(fields))[1]


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path / "keys.json")


@pytest.fixture
async def locked_app(
    served: Served, engine: FakeEngine, memory_store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Running]:
    monkeypatch.setattr(keys, "FOLLOW_S", 0.01)
    async with running(engine, memory_store, {"key_file": served.path}) as started:
        yield started


async def complete(app: Running, key: str, model: str = "alpha", **fields: object) -> int:
    response = await app.client.post(
        "/v1/completions", json={"model": model, "prompt": "Hi", **fields}, headers=bearer(key)
    )
    return response.status_code


async def test_keys_of_the_file_open_their_scope_and_no_other(
    locked_app: Running, served: Served
) -> None:
    client = locked_app.client
    assert await complete(locked_app, served.key) == 200
    assert await complete(locked_app, served.admin) == 401
    assert await complete(locked_app, "ldk-00000000-wrong") == 401
    assert (await client.get("/admin/adapters", headers=bearer(served.key))).status_code == 401
    assert (await client.get("/admin/adapters", headers=bearer(served.admin))).status_code == 200
    assert (await client.get("/metrics", headers=bearer(served.key))).status_code == 200


async def test_a_limited_key_sees_and_asks_its_adapters_alone(
    locked_app: Running, served: Served
) -> None:
    assert await complete(locked_app, served.limited, "alpha@1") == 200
    refused = await locked_app.client.post(
        "/v1/completions", json={"model": "beta", "prompt": "Hi"}, headers=bearer(served.limited)
    )
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "model_not_allowed"
    assert refused.json()["error"]["type"] == "permission_error"
    listed = await locked_app.client.get("/v1/models", headers=bearer(served.limited))
    assert {model["id"].partition("@")[0] for model in listed.json()["data"]} == {"alpha"}
    hidden = await locked_app.client.get("/v1/models/beta", headers=bearer(served.limited))
    assert hidden.status_code == 404
    page = await locked_app.client.get("/metrics", headers=bearer(served.limited))
    assert page.status_code == 403
    assert "beta" not in page.text


async def test_one_request_too_many_is_429_until_the_other_has_ended(
    locked_app: Running, served: Served, engine: FakeEngine
) -> None:
    engine.faults.token_delay_s = 0.02
    first = asyncio.create_task(complete(locked_app, served.limited))
    await until(lambda: engine.running)
    refused = await locked_app.client.post(
        "/v1/completions", json={"model": "alpha", "prompt": "Hi"}, headers=bearer(served.limited)
    )
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert await complete(locked_app, served.key) == 200, "other keys are not concerned"
    assert await first == 200
    assert await complete(locked_app, served.limited) == 200


async def test_the_file_is_followed_and_damage_to_it_changes_nothing(
    locked_app: Running, served: Served
) -> None:
    added = served.create(name="late")
    await until(lambda: locked_app.parts.events.after(0, 9)[-1].kind == "keys_read")
    assert await complete(locked_app, added) == 200
    keyfile.revoke(served.path, added.split("-")[1])
    await until(lambda: len(locked_app.parts.keys._records) == 3)
    assert await complete(locked_app, added) == 401

    served.path.write_text("{", encoding="utf-8")
    await until(lambda: locked_app.parts.events.after(0, 99)[-1].kind == "keys_unreadable")
    assert await complete(locked_app, served.key) == 200


async def test_a_refused_key_is_an_event_counted_and_never_shown(locked_app: Running) -> None:
    for _ in range(3):
        assert await complete(locked_app, "ldk-my-guess") == 401
    last = locked_app.parts.events.after(0, 1)[0]
    assert (last.kind, last.subject, last.count) == ("key_refused", "inference", 3)
    assert "guess" not in repr(last)
