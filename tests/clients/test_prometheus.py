"""A real Prometheus scrapes the server and answers what a dashboard asks of it.

Needs Prometheus and promtool, which `scripts/servers` brings; skipped where they are absent.
"""

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.clients.conftest import API_KEY
from tests.clients.process import Server
from tests.deploy.programs import WHY, find

PROMETHEUS, PROMTOOL = find("prometheus"), find("promtool")
pytestmark = pytest.mark.skipif(
    PROMETHEUS is None or PROMTOOL is None,
    reason=WHY.format("prometheus or promtool"),
)
WAIT_S = 60.0
CONFIG = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - job_name: loradock
    authorization: {{credentials: {key}}}
    static_configs: [{{targets: ["{target}"]}}]
"""
ASKED = 12
QUERIES = {
    "p95 of the time to the first token": "histogram_quantile(0.95, sum by (adapter, version, le)"
    " (rate(loradock_time_to_first_token_seconds_bucket[10s])))",
    "p95 between tokens": "histogram_quantile(0.95, sum by (adapter, version, le)"
    " (rate(loradock_inter_token_seconds_bucket[10s])))",
    "median of the whole request": "histogram_quantile(0.5, sum by (adapter, version, le)"
    " (rate(loradock_request_duration_seconds_bucket[10s])))",
    "output tokens per second": "sum by (adapter, version)"
    " (rate(loradock_output_tokens_total[10s]))",
    "answers per second": "sum by (adapter, version)"
    ' (rate(loradock_requests_total{route="createCompletion",code="200"}[10s]))',
}


@pytest.fixture
def prometheus(fake_server: Server, tmp_path: Path) -> Iterator[httpx.Client]:
    """Prometheus, scraping the server."""
    config = tmp_path / "prometheus.yml"
    target = fake_server.url.removeprefix("http://")
    config.write_text(CONFIG.format(key=API_KEY, target=target), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(str(PROMETHEUS), f"--config.file={config}", f"--web.listen-address={address}"),
                f"--storage.tsdb.path={tmp_path / 'data'}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        with httpx.Client(base_url=f"http://{address}") as client:
            wait_until(lambda: up(client))
            yield client
    finally:
        process.terminate()
        process.wait()


def wait_until(condition: object) -> None:
    assert callable(condition)
    deadline_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.1)


def up(client: httpx.Client) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return ask(client, 'up{job="loradock"}') == {("", ""): 1.0}
    return False


def ask(client: httpx.Client, query: str) -> dict[tuple[str, str], float]:
    """The value of each adapter and version, the request's without one."""
    answer = client.get("/api/v1/query", params={"query": query})
    result = json.loads(answer.text).get("data", {}).get("result", [])
    return {
        (row["metric"].get("adapter", ""), row["metric"].get("version", "")): float(row["value"][1])
        for row in result
    }


def test_it_answers_latency_and_tokens_for_each_version(
    prometheus: httpx.Client, fake_server: Server
) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    served = {("alpha", "1"), ("alpha", "2")}

    def answered() -> bool:
        with httpx.Client(base_url=fake_server.url, headers=headers) as client:
            for _ in range(ASKED):
                for model in ("alpha", "alpha@2"):
                    body = {"model": model, "prompt": "Hello", "stream": True}
                    client.post("/v1/completions", json=body).raise_for_status()
        values = [ask(prometheus, query) for query in QUERIES.values()]
        return all(
            served <= value.keys() and all(value[version] > 0 for version in served)
            for value in values
        )

    wait_until(answered)


def test_the_names_pass_promtools_linter(fake_server: Server) -> None:
    page = httpx.get(f"{fake_server.url}/metrics", headers={"Authorization": f"Bearer {API_KEY}"})
    assert "loradock_requests_total" in page.text
    # vLLM's names have a colon, which the linter keeps for recording rules.
    ours = "".join(line for line in page.text.splitlines(keepends=True) if "vllm:" not in line)
    linted = subprocess.run(
        [str(PROMTOOL), "check", "metrics"],
        input=ours,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (linted.returncode, linted.stdout, linted.stderr) == (0, "", "")
