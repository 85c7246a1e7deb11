"""Processes of the real service that are killed, and what is left of them: nothing."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from adapters.store import Store
from tests.clients.conftest import API_KEY, KEYS
from tests.clients.parrots import Base
from tests.clients.process import REAL, ROOT, Server, serving
from tests.service.engine.host import descendants
from tests.service.engine.test_plugin import all_gone

# On a busy machine an engine takes minutes to start.
pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]
HEADERS = {"Authorization": f"Bearer {API_KEY}"}
LONG = {"model": "alpha@1", "prompt": "Say:", "max_tokens": 1800, "stream": True}
READY_WITHIN_S = 400.0


def flags(parrot_store: tuple[Store, Base]) -> list[str]:
    store, base = parrot_store
    return ["--base", str(base.directory), "--store", str(store.root)]


async def until_ready(client: httpx.AsyncClient) -> float:
    """Wait for the server to be ready again, and return how long that took."""
    started_s = time.monotonic()
    while (await client.get("/health/ready")).status_code != 200:
        assert time.monotonic() - started_s < READY_WITHIN_S
        await asyncio.sleep(0.05)
    return time.monotonic() - started_s


async def test_a_killed_engine_is_told_to_streams_and_comes_back_with_its_versions(
    real_server: Server, record_property: Callable[[str, object], None]
) -> None:
    server = real_server.process.pid
    async with httpx.AsyncClient(base_url=real_server.url, headers=HEADERS, timeout=60) as client:
        await client.post("/v1/completions", json={**LONG, "max_tokens": 1, "stream": False})
        killed = await asyncio.to_thread(descendants, server)
        assert killed
        lines: list[str] = []
        async with client.stream("POST", "/v1/completions", json=LONG) as stream:
            async for line in stream.aiter_lines():
                lines += [line] if line else []
                if len(lines) == 5:
                    for pid in killed:
                        os.kill(pid, signal.SIGKILL)
                    killed_s = time.monotonic()
        assert time.monotonic() - killed_s < 5
        assert json.loads(lines[-1].removeprefix("data: "))["error"]["code"] == "engine_unavailable"
        refused = await client.post("/v1/completions", json=LONG)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        seconds = await until_ready(client)
        record_property("recovered_s", seconds)
        answer = await client.post(
            "/v1/completions", json={**LONG, "max_tokens": 6, "stream": False}
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["choices"][0]["text"] == "abcabc"
        assert "loradock_engine_restarts_total 1.0" in (await client.get("/metrics")).text
    assert all_gone(killed, within_s=1)
    print(f"ready again after {seconds:.1f} s")  # noqa: T201


async def test_a_killed_server_leaves_no_engine_and_starts_again(
    parrot_store: tuple[Store, Base],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    body = {**LONG, "max_tokens": 6, "stream": False}
    for attempt in ("first", "second"):
        started_s = time.monotonic()
        with serving(REAL, flags(parrot_store), tmp_path / attempt, KEYS) as server:
            async with httpx.AsyncClient(base_url=server.url, headers=HEADERS) as client:
                answer = await client.post("/v1/completions", json=body)
            assert answer.json()["choices"][0]["text"] == "abcabc"
            recovered_s = time.monotonic() - started_s
            below = await asyncio.to_thread(descendants, server.process.pid)
            assert below
            server.process.kill()
            assert await asyncio.to_thread(all_gone, below, 5)
    record_property("recovered_s", recovered_s)


def test_a_server_told_to_stop_while_it_starts_ends_in_order(
    parrot_store: tuple[Store, Base],
) -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", REAL, *flags(parrot_store), "--port", "0"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "waiting for the engine to start" in line:
                break
        while not descendants(process.pid):
            time.sleep(0.05)
        below = descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        assert process.wait(60) == 0
    assert all_gone(below, within_s=5)


def test_memory_that_is_not_there_is_refused_before_the_engine_starts(
    parrot_store: tuple[Store, Base],
) -> None:
    wrong = ["--port", "0", "--kv-cache-bytes", str(1 << 50)]
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", REAL, *flags(parrot_store), *wrong],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "kv_cache_bytes asks for" in result.stderr
    assert "waiting for the engine" not in result.stderr
    assert "Traceback" not in result.stderr
