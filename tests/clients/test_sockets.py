"""Clients that behave badly on real connections: slow, huge, gone, or far too many."""

import asyncio
import contextlib
import os
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from tests.clients.conftest import API_KEY, KEYS
from tests.clients.process import FAKE, Server, serving
from tests.service.tiny_store import make_store

HEADERS = {"Authorization": f"Bearer {API_KEY}"}
START = f"POST /v1/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {API_KEY}\r\n"
GONE_WITHIN_S = 1.0
OVERLOADED_P99_S = 0.1


@pytest.fixture
async def slow_server(tmp_path: Path) -> AsyncIterator[Server]:
    """A server whose answers take seconds, with a short queue."""
    store, base = make_store(tmp_path, probes=())
    flags = ["--base", str(base), "--store", str(store.root), "--max-in-flight-requests", "8"]
    flags += ["--max-queued-requests", "32"]
    slow = {**KEYS, "FAKE_TOKEN_DELAY_S": "0.2"}
    with serving(FAKE, flags, tmp_path / "log", slow) as server:
        yield server


async def connect(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = server.url.removeprefix("http://").partition(":")
    return await asyncio.open_connection(host, int(port))


def resident_bytes(server: Server) -> int:
    statm = Path(f"/proc/{server.process.pid}/statm").read_text(encoding="ascii")
    return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def until_in_flight(client: httpx.AsyncClient, count: int) -> None:
    while await metric(client, "loradock_requests_in_flight") != count:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.01)


async def metric(client: httpx.AsyncClient, name: str) -> float:
    page = (await client.get("/metrics")).text
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", page, re.M))


async def test_slow_and_huge_requests_hold_up_nobody(fake_server: Server) -> None:
    before_bytes = resident_bytes(fake_server)
    dripping = [await connect(fake_server) for _ in range(100)]
    for _, writer in dripping:
        writer.write(START.encode())
    reader, huge = await connect(fake_server)
    with contextlib.suppress(ConnectionError):
        for _ in range(64):
            huge.write(b"x-padding: " + b"x" * 65_536 + b"\r\n")
            await huge.drain()
    async with httpx.AsyncClient(base_url=fake_server.url, headers=HEADERS) as client:
        for _ in range(20):
            answer = await asyncio.wait_for(
                client.post("/v1/completions", json={"model": "alpha", "prompt": "Hello"}), 5
            )
            assert answer.status_code == 200
    with contextlib.suppress(ConnectionError):
        refused = await asyncio.wait_for(reader.read(100), 5)
        assert not refused or refused.startswith(b"HTTP/1.1 4")
    assert resident_bytes(fake_server) - before_bytes < 64 << 20
    for _, writer in [*dripping, (reader, huge)]:
        writer.close()


@pytest.mark.parametrize("stream", ["true", "false"])
async def test_a_client_that_leaves_ends_its_generation_within_a_second(
    slow_server: Server, stream: str, record_property: Callable[[str, object], None]
) -> None:
    body = f'{{"model": "alpha", "prompt": "Hello", "stream": {stream}}}'
    async with httpx.AsyncClient(base_url=slow_server.url, headers=HEADERS) as client:
        _, writer = await connect(slow_server)
        writer.write(
            f"{START}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
        )
        await until_in_flight(client, 1)
        writer.transport.abort()
        left_s = time.monotonic()
        await until_in_flight(client, 0)
        record_property("recovered_s", time.monotonic() - left_s)
        assert time.monotonic() - left_s < GONE_WITHIN_S
        assert await metric(client, "loradock_leases") == 0
        assert await metric(client, "loradock_client_disconnects_total") == 1


@pytest.mark.engine
async def test_the_real_engine_computes_no_further_token_for_a_client_that_left(
    real_server: Server,
) -> None:
    body = {"model": "alpha", "prompt": "Say:", "max_tokens": 1800, "stream": True}
    async with httpx.AsyncClient(base_url=real_server.url, headers=HEADERS, timeout=60) as client:
        async with client.stream("POST", "/v1/completions", json=body) as stream:
            await anext(stream.aiter_lines())
        left_s = time.monotonic()
        await until_in_flight(client, 0)
        assert time.monotonic() - left_s < GONE_WITHIN_S
        computed = await metric(client, "vllm:generation_tokens_total")
        assert computed > 0
        await asyncio.sleep(0.5)
        assert await metric(client, "vllm:generation_tokens_total") == computed


def watch(server: Server, seconds_long: float) -> list[float]:
    """Ask for health and metrics again and again, and return the seconds that each took."""
    seconds = []
    end_s = time.monotonic() + seconds_long
    with httpx.Client(base_url=server.url, headers=HEADERS) as client:
        while time.monotonic() < end_s:
            for path in ("/health/live", "/health/ready", "/metrics"):
                started_s = time.monotonic()
                assert client.get(path).status_code == 200
                seconds.append(time.monotonic() - started_s)
            time.sleep(0.01)
    return seconds


async def test_health_and_metrics_answer_at_once_while_the_server_is_full(
    slow_server: Server,
) -> None:
    """Eighty clients, forty places; each that is turned away comes back half a second later."""
    codes: Counter[int] = Counter()
    ended = asyncio.Event()

    async def insist(client: httpx.AsyncClient) -> None:
        while not ended.is_set():
            body = {"model": "alpha", "prompt": "Hello"}
            answer = await client.post("/v1/completions", json=body)
            codes[answer.status_code] += 1
            if answer.status_code != 200:
                assert int(answer.headers["retry-after"]) > 0
                await asyncio.sleep(0.5)

    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=slow_server.url, headers=HEADERS, limits=limits, timeout=60
    ) as client:
        load = [asyncio.create_task(insist(client)) for _ in range(80)]
        await asyncio.sleep(2)
        seconds = await asyncio.to_thread(watch, slow_server, 4.0)
        ended.set()
        await asyncio.gather(*load)
    assert set(codes) == {200, 503}
    assert len(seconds) > 100
    assert sorted(seconds)[int(len(seconds) * 0.99)] < OVERLOADED_P99_S
