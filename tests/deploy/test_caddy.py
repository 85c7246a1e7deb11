"""The service behind a real Caddy with the shipped configuration.

Needs Caddy and openssl, which `scripts/servers` brings; skipped where they are absent.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from service.engine.fake import FakeEngine, Faults
from tests.deploy import caddy, programs
from tests.deploy.situations import address, make_store
from tests.service.running import listening

pytestmark = pytest.mark.skipif(
    programs.find("caddy") is None or programs.find("openssl") is None,
    reason=programs.WHY.format("caddy or openssl"),
)
TOKEN_S = 0.05
STREAM = {"model": "alpha", "prompt": "Hello", "stream": True}
# An address of this machine that the configuration does not let near /admin and /metrics.
OUTSIDE = "127.0.0.2"


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[caddy.Caddy]:
    engine = FakeEngine(faults=Faults(token_delay_s=TOKEN_S))
    async with listening(engine, make_store(tmp_path / "store")) as app:
        with caddy.before(tmp_path / "caddy", address(app)) as started:
            yield started


def client_of(edge: caddy.Caddy, source: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(verify=edge.trust(), local_address=source)
    return httpx.AsyncClient(base_url=edge.url, transport=transport, timeout=10)


async def test_tokens_pass_as_they_are_made(edge: caddy.Caddy) -> None:
    times_s = []
    async with (
        client_of(edge) as client,
        client.stream("POST", "/v1/completions", json=STREAM) as answer,
    ):
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                times_s.append(time.monotonic())
    assert len(times_s) >= 8
    assert times_s[-1] - times_s[0] > 5 * TOKEN_S


async def test_a_body_that_is_too_large_is_refused(edge: caddy.Caddy) -> None:
    async with client_of(edge) as client:
        large = await client.post("/v1/completions", content=b"x" * (4 * 2**20 + 1))
    assert large.status_code == 413


async def test_administration_and_metrics_are_closed_to_the_world(edge: caddy.Caddy) -> None:
    paths = ("/admin/adapters", "/metrics", "/nowhere", "/v1/models", "/", "/health/ready")
    expected = {
        "127.0.0.1": [200, 200, 404, 200, 200, 200],
        OUTSIDE: [404, 404, 404, 200, 200, 200],
    }
    for source, statuses in expected.items():
        async with client_of(edge, source) as client:
            answers = await asyncio.gather(*(client.get(path) for path in paths))
        assert [answer.status_code for answer in answers] == statuses
