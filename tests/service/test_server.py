"""The server as a process: what it says, how it ends, and what it refuses to start with."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.service.tiny_store import make_store

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 30.0


class Server:
    """One process of the real command line over the fake engine."""

    def __init__(self, root: Path, *flags: str, token_delay_s: float = 0.0) -> None:
        # Without probes, which would take as long as the slow tokens of these tests.
        store, base = make_store(root, probes=())
        self.log = root / "log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.service.fake_server"),
                    *("--base", str(base), "--store", str(store.root), "--port", "0", *flags),
                ],
                cwd=ROOT,
                stderr=output,
                env={**os.environ, "FAKE_TOKEN_DELAY_S": str(token_delay_s)},
            )

    def url(self) -> str:
        """Wait for the line that says it is ready, and read its URL."""
        deadline_s = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline_s:
            found = re.search(r"ready: (http://\S+)/v1", self.text())
            if found:
                return found[1]
            assert self.process.poll() is None, self.text()
            time.sleep(0.02)
        raise AssertionError(self.text())

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def exit_code(self) -> int:
        return self.process.wait(TIMEOUT_S)


@pytest.fixture(autouse=True)
def _hears_hangups() -> Iterator[None]:
    """Of tests that run under `nohup` a process inherits that it does not."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    started: list[Server] = []
    yield started
    for server in started:
        server.process.kill()
        server.process.wait()


async def lines(client: httpx.AsyncClient, body: dict[str, object]) -> list[str]:
    async with client.stream("POST", "/v1/completions", json=body) as response:
        assert response.status_code == 200
        return [line async for line in response.aiter_lines() if line]


BODY: dict[str, object] = {"model": "alpha", "prompt": "Hello", "stream": True}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_at_a_signal_streams_finish_new_work_is_503_and_the_exit_code_is_0(
    tmp_path: Path, servers: list[Server], number: signal.Signals
) -> None:
    servers.append(server := Server(tmp_path, token_delay_s=0.15))
    async with httpx.AsyncClient(base_url=await asyncio.to_thread(server.url)) as client:
        stream = asyncio.create_task(lines(client, BODY))
        await asyncio.sleep(0.3)
        server.signal(number)
        await asyncio.sleep(0.1)
        ready = await client.get("/health/ready")
        assert ready.status_code == 503
        assert "shutting down" in ready.text
        refused = await client.post("/v1/completions", json=BODY)
        assert refused.status_code == 503
        assert refused.json()["error"]["code"] == "shutting_down"
        assert int(refused.headers["retry-after"]) > 0
        assert (await stream)[-1] == "data: [DONE]"
    assert await asyncio.to_thread(server.exit_code) == 0


async def test_a_hang_up_that_is_to_be_ignored_is_ignored(
    tmp_path: Path, servers: list[Server]
) -> None:
    """As `nohup` starts it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        servers.append(server := Server(tmp_path))
    finally:
        signal.signal(signal.SIGHUP, before)
    async with httpx.AsyncClient(base_url=await asyncio.to_thread(server.url)) as client:
        server.signal(signal.SIGHUP)
        await asyncio.sleep(0.3)
        assert (await client.get("/health/ready")).status_code == 200


async def test_streams_that_take_too_long_end_with_an_error_event_and_the_exit_code_is_0(
    tmp_path: Path, servers: list[Server]
) -> None:
    servers.append(server := Server(tmp_path, "--drain-timeout-s", "0.2", token_delay_s=1.0))
    async with httpx.AsyncClient(base_url=await asyncio.to_thread(server.url)) as client:
        stream = asyncio.create_task(lines(client, BODY))
        await asyncio.sleep(1.5)
        started_s = time.monotonic()
        server.signal(signal.SIGTERM)
        last = json.loads((await stream)[-1].removeprefix("data: "))
        assert last["error"]["code"] == "shutting_down"
    assert await asyncio.to_thread(server.exit_code) == 0
    assert time.monotonic() - started_s < 3


async def test_a_second_signal_ends_it_at_once(tmp_path: Path, servers: list[Server]) -> None:
    servers.append(server := Server(tmp_path, token_delay_s=5.0))
    async with httpx.AsyncClient(base_url=await asyncio.to_thread(server.url)) as client:
        stream = asyncio.create_task(client.post("/v1/completions", json=BODY))
        await asyncio.sleep(0.2)
        server.signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
        assert server.process.poll() is None
        started_s = time.monotonic()
        server.signal(signal.SIGTERM)
        assert await asyncio.to_thread(server.exit_code) == 128 + signal.SIGTERM
        assert time.monotonic() - started_s < 1
        with pytest.raises(httpx.TransportError):
            await stream


def test_it_says_what_it_waits_for_and_in_the_end_where_it_is(
    tmp_path: Path, servers: list[Server]
) -> None:
    servers.append(server := Server(tmp_path, "--api-key", "k" * 16, "--admin-key", "a" * 16))
    server.url()
    text = server.text()
    assert "waiting for the engine to start" in text
    assert "base tiny-base · docked: alpha@1" in text
    assert "k" * 16 not in text
    assert "a" * 16 not in text


async def test_every_line_of_the_log_is_json_whatever_was_asked(
    tmp_path: Path, servers: list[Server]
) -> None:
    servers.append(server := Server(tmp_path))
    ask = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"accept": "application/json, text/event-stream"}
    async with httpx.AsyncClient(base_url=await asyncio.to_thread(server.url)) as client:
        assert (await client.post("/mcp", json=ask, headers=accept)).status_code == 200
        assert (await client.post("/v1/completions", json={**BODY, "n": 0})).status_code == 400
        assert (await client.get("/nothing")).status_code == 404
    server.signal(signal.SIGTERM)
    assert await asyncio.to_thread(server.exit_code) == 0
    lines = [line for line in server.text().splitlines() if not line.startswith("service: ")]
    assert {json.loads(line)["event"] for line in lines} >= {"request", "docked"}


async def test_the_answers_on_one_connection_are_not_held_back(
    tmp_path: Path, servers: list[Server]
) -> None:
    """Two small writes wait 40 ms for each other unless the socket is told not to collect them."""
    servers.append(server := Server(tmp_path))
    seconds = []
    async with httpx.AsyncClient(base_url=await asyncio.to_thread(server.url)) as client:
        for _ in range(12):
            started_s = time.monotonic()
            await client.post("/v1/completions", json={"model": "alpha", "prompt": "Hello"})
            seconds.append(time.monotonic() - started_s)
    # The least, since the machine may be busy; held back, every one of them takes longer.
    assert min(seconds[1:]) < 0.03


async def test_administration_on_a_port_of_its_own_is_nowhere_else(
    tmp_path: Path, servers: list[Server]
) -> None:
    servers.append(server := Server(tmp_path, "--admin-port", "0"))
    url = await asyncio.to_thread(server.url)
    found = re.search(r"admin (http://\S+)/admin", server.text())
    assert found is not None
    async with httpx.AsyncClient() as client:

        async def status(base: str, path: str) -> int:
            return (await client.get(f"{base}{path}")).status_code

        for path in ("/health/ready", "/metrics"):
            assert (await status(url, path), await status(found[1], path)) == (200, 200)
        assert await status(found[1], "/admin/adapters") == 200
        assert await status(url, "/v1/models") == 200
        for base, path in ((url, "/admin/adapters"), (found[1], "/v1/models")):
            refused = await client.get(f"{base}{path}")
            assert refused.status_code == 404
            assert refused.json()["error"]["code"] == "not_found"
