"""The outermost layer: ids, limits, encodings."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from service import boundary
from service.engine.fake import FakeEngine
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, listening, running
from tests.service.test_problems import check_shape


@pytest.mark.parametrize("good", ["a", "A.b_c-9", "x" * 128])
async def test_a_harmless_request_id_is_kept(app: Running, good: str) -> None:
    response = await app.client.get("/health/live", headers={"x-request-id": good})
    assert response.headers["x-request-id"] == good


@pytest.mark.parametrize("bad", ["", "a b", "<script>", '"; drop', "x" * 129, "\u00e9"])
async def test_any_other_request_id_is_replaced(app: Running, bad: str) -> None:
    for path in ("/health/live", "/nothing"):
        response = await app.client.get(path, headers={b"x-request-id": bad.encode()})
        assert re.fullmatch(r"[0-9a-f]{32}", response.headers["x-request-id"])


async def test_the_engine_gets_the_request_id(app: Running, engine: FakeEngine) -> None:
    await app.client.post(
        "/v1/completions", json={"model": "alpha", "prompt": "x"}, headers={"x-request-id": "me-1"}
    )
    assert engine.requests[-1][0].startswith("me-1-")


async def test_one_id_may_be_under_way_twice(app: Running, engine: FakeEngine) -> None:
    engine.faults.token_delay_s = 0.01
    body, headers = {"model": "alpha", "prompt": "x"}, {"x-request-id": "me-1"}
    answers = await asyncio.gather(
        *(app.client.post("/v1/completions", json=body, headers=headers) for _ in range(3))
    )
    assert [answer.headers["x-request-id"] for answer in answers] == ["me-1"] * 3
    assert len({answer.json()["id"] for answer in answers}) == 3


async def test_a_large_body_is_413_by_its_length(
    engine: FakeEngine, memory_store: MemoryStore
) -> None:
    async with running(engine, memory_store, {"max_body_bytes": 2048}) as app:
        check_shape(await app.complete("alpha", "x" * 3000), 413)
        assert (await app.complete("alpha", "x" * 1500)).status_code == 200


async def test_a_large_body_of_unknown_length_is_413_once_it_is_too_large(
    engine: FakeEngine, memory_store: MemoryStore
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1000

    async with listening(engine, memory_store, {"max_body_bytes": 2048}) as app:
        response = await app.client.post(
            "/v1/completions", content=pieces(), headers={"content-type": "application/json"}
        )
        check_shape(response, 413)


async def test_a_compressed_body_is_415(app: Running) -> None:
    response = await app.client.post(
        "/v1/completions", content=b"x", headers={"content-encoding": "gzip"}
    )
    check_shape(response, 415)


async def test_a_body_that_does_not_come_is_408(
    engine: FakeEngine, memory_store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boundary, "BODY_TIMEOUT_S", 0.1)
    async with listening(engine, memory_store) as app:
        reader, writer = await asyncio.open_connection("127.0.0.1", app.client.base_url.port)
        writer.write(
            b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"content-length: 100\r\n\r\n{"
        )
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)
        writer.close()
        await writer.wait_closed()
    assert b" 408 " in answer


async def test_a_host_header_with_a_path_opens_nothing(
    engine: FakeEngine, memory_store: MemoryStore
) -> None:
    keys = {"api_key": "inference-secret-1", "admin_key": "administrator-key"}
    async with running(engine, memory_store, keys) as app:
        response = await app.client.get("/admin/adapters", headers={"host": "x/health/live?"})
        check_shape(response, 401)
