"""A real Prometheus with the shipped rules that scrapes a test's servers."""

import asyncio
import contextlib
import math
import socket
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx

from tests.deploy import programs

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
WAIT_S = 30.0
CONFIG = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s}}
rule_files: [{rules}/recording.yaml, {rules}/alerts.yaml]
scrape_configs:
  - job_name: loradock
    static_configs: [{{targets: [{targets}]}}]
"""


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


class Prometheus:
    """What it answers.

    Attributes:
        url: Where it is.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.url = str(client.base_url).rstrip("/")

    async def values(self, query: str) -> list[float]:
        """The numbers of an instant query; those of a range without observations are left out."""
        answer = await self._client.get("/api/v1/query", params={"query": query})
        assert answer.status_code == 200, f"{query}: {answer.text}"
        values = [float(row["value"][1]) for row in answer.json()["data"]["result"]]
        return [value for value in values if math.isfinite(value)]

    async def unanswered(self, queries: Sequence[str], timeout_s: float) -> list[str]:
        """Ask until each query has given data once; returns those that never did."""
        left = list(queries)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while left:
                    left = [query for query in left if not await self.values(query)]
                    await asyncio.sleep(0.2)
        return left

    async def ready(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            begun = await self._client.get("/-/ready")
            return begun.status_code == 200 and bool(await self.values('up{job="loradock"} == 1'))
        return False


def _start(root: Path, address: str, targets: Sequence[str]) -> "subprocess.Popen[bytes]":
    root.mkdir()
    config = root / "prometheus.yml"
    named = ", ".join(f'"{target}"' for target in targets)
    config.write_text(CONFIG.format(rules=MONITORING, targets=named), encoding="utf-8")
    with (root / "log").open("wb") as log:
        return subprocess.Popen(
            [
                *(
                    str(programs.find("prometheus")),
                    f"--config.file={config}",
                    f"--web.listen-address={address}",
                ),
                f"--storage.tsdb.path={root / 'data'}",
            ],
            stdout=log,
            stderr=log,
        )


@contextlib.asynccontextmanager
async def scraping(root: Path, targets: Sequence[str]) -> AsyncIterator[Prometheus]:
    """Prometheus until the block ends, with a first scrape done."""
    address = free_address()
    process = await asyncio.to_thread(_start, root, address, targets)
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}", timeout=WAIT_S) as client:
            prometheus = Prometheus(client)
            async with asyncio.timeout(WAIT_S):
                while not await prometheus.ready():  # noqa: ASYNC110 - a process sets no event
                    await asyncio.sleep(0.05)
            yield prometheus
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)
