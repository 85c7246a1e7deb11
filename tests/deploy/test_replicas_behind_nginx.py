"""Two services on one store behind a real nginx with the shipped configuration.

`-o log_cli=true -o log_cli_level=INFO` shows the figures that docs/operations.md has.
Needs nginx and openssl, which `scripts/servers` brings; skipped where they are absent.
"""

import asyncio
import contextlib
import json
import logging
import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from adapters.store import Store
from service import keyfile
from service.engine.fake import words_for
from tests.clients.process import FAKE, Server, serving
from tests.deploy import nginx, programs
from tests.service.tiny_store import make_store

pytestmark = pytest.mark.skipif(
    programs.find("nginx") is None or programs.find("openssl") is None,
    reason=programs.WHY.format("nginx or openssl"),
)
log = logging.getLogger(__name__)
API_KEY, ADMIN_KEY = "inference-key-0001", "administer-key-001"
TOKEN_S = 0.02
LOAD_S = 1.2
CONVERGED_S = 2.0
PROMPT = "Hello"
# An address of this machine that the configuration does not let near /admin and /metrics.
OUTSIDE = "127.0.0.2"


@dataclass(frozen=True)
class Site:
    """A store with the adapter alpha, and what starts a replica on it."""

    root: Path
    store: Store
    base: Path
    limited_key: str

    @contextlib.contextmanager
    def replica(self, name: str) -> Iterator[Server]:
        keys = self.root / "keys.json"
        flags = ["--base", str(self.base), "--store", str(self.store.root), "--key-file", str(keys)]
        environment = {
            "LORADOCK_API_KEY": API_KEY,
            "LORADOCK_ADMIN_KEY": ADMIN_KEY,
            "FAKE_TOKEN_DELAY_S": str(TOKEN_S),
        }
        with serving(FAKE, flags, self.root / f"{name}.log", environment) as server:
            yield server

    async def promote(self, client: httpx.AsyncClient, version: int) -> None:
        response = await client.post(
            "/admin/adapters/alpha/promote", json={"version": version}, headers=key(ADMIN_KEY)
        )
        response.raise_for_status()


def key(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def address(server: Server) -> str:
    return server.url.removeprefix("http://")


def said_by(version: int, prompt: str = PROMPT) -> str:
    return words_for(f"alpha@{version}", prompt)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    root = tmp_path_factory.mktemp("site")
    store, base = make_store(root, probes=())
    wanted = keyfile.Wanted(name="limited", requests_per_min=2)
    _, limited = keyfile.create(root / "keys.json", wanted)
    return Site(root, store, base, limited)


@pytest.fixture(scope="module")
def pair(site: Site) -> Iterator[tuple[Server, Server]]:
    """Two replicas that live as long as the tests."""
    with site.replica("first") as first, site.replica("second") as second:
        yield first, second


@pytest.fixture(scope="module")
def edge(site: Site, pair: tuple[Server, Server]) -> Iterator[nginx.Nginx]:
    with nginx.before(site.root / "nginx", *map(address, pair)) as started:
        yield started


@pytest.fixture
def mortal(site: Site) -> Iterator[Server]:
    """A replica that the test may end."""
    with site.replica("mortal") as server:
        yield server


@contextlib.asynccontextmanager
async def client_of(
    edge: nginx.Nginx, key_text: str = API_KEY, source: str = "127.0.0.1"
) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.AsyncHTTPTransport(verify=edge.trust(), local_address=source)
    async with httpx.AsyncClient(
        base_url=edge.url, transport=transport, headers=key(key_text), timeout=10
    ) as client:
        yield client


async def text_of(client: httpx.AsyncClient, *, stream: bool, prompt: str = PROMPT) -> str:
    """The whole answer of alpha, or what went wrong as an exception."""
    body = {"model": "alpha", "prompt": prompt, "stream": stream}
    if not stream:
        response = await client.post("/v1/completions", json=body)
        response.raise_for_status()
        return str(response.json()["choices"][0]["text"])
    async with client.stream("POST", "/v1/completions", json=body) as response:
        response.raise_for_status()
        lines = [line async for line in response.aiter_lines() if line]
    assert lines.pop() == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines]
    return "".join(choice["text"] for chunk in chunks for choice in chunk["choices"])


@dataclass
class Load:
    """Clients that ask without a pause, every second time for a stream.

    Attributes:
        asked: When each request began and whether its answer was whole and right.
    """

    edge: nginx.Nginx
    clients: int = 4
    asked: list[tuple[float, str]] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        over = asyncio.Event()
        tasks = [asyncio.create_task(self._ask_on(over)) for _ in range(self.clients)]
        try:
            yield
        finally:
            over.set()
            await asyncio.gather(*tasks)

    async def _ask_on(self, over: asyncio.Event) -> None:
        number = 0
        async with client_of(self.edge) as client:
            while not over.is_set():
                number += 1
                began_s = time.monotonic()
                try:
                    text = await text_of(client, stream=number % 2 == 0)
                    outcome = "" if text == said_by(1) else f"wrong: {text}"
                except (httpx.HTTPError, AssertionError) as error:
                    outcome = repr(error)
                self.asked.append((began_s, outcome))

    def lost(self, since_s: float = 0.0) -> list[str]:
        return [outcome for began_s, outcome in self.asked if outcome and began_s >= since_s]


async def test_a_promote_at_one_reaches_both_within_two_seconds(
    site: Site, edge: nginx.Nginx, pair: tuple[Server, Server]
) -> None:
    async def serves(url: str, version: int) -> bool:
        async with httpx.AsyncClient(base_url=url, headers=key(API_KEY)) as replica:
            return await text_of(replica, stream=False) == said_by(version)

    async with client_of(edge) as client:
        for version in (2, 1):
            started_s = time.monotonic()
            await site.promote(client, version)
            while not all([await serves(server.url, version) for server in pair]):
                assert time.monotonic() - started_s < CONVERGED_S
            took_s = time.monotonic() - started_s
            log.info("promote to %s: both replicas serve it after %.2f s", version, took_s)
            assert took_s < CONVERGED_S
            assert await text_of(client, stream=True) == said_by(version)


async def test_tokens_pass_as_they_are_made(edge: nginx.Nginx) -> None:
    body = {"model": "alpha", "prompt": PROMPT, "stream": True}
    times_s = []
    async with (
        client_of(edge) as client,
        client.stream("POST", "/v1/completions", json=body) as response,
    ):
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                times_s.append(time.monotonic())
    # The engine makes eight tokens TOKEN_S apart; what is held back comes all at once.
    assert len(times_s) >= 8
    spread_s = times_s[-1] - times_s[0]
    log.info("first token %.2f s before the last, made %.2f s before", spread_s, 7 * TOKEN_S)
    assert spread_s > 5 * TOKEN_S


async def test_limits_are_answered_in_the_form_of_the_api(site: Site, edge: nginx.Nginx) -> None:
    async with client_of(edge) as client:
        large = await client.post("/v1/completions", content=b"x" * (4 * 2**20 + 1))
    assert large.status_code == 413
    assert large.json()["error"]["code"] == "body_too_large"
    body = {"model": "alpha", "prompt": PROMPT}
    async with client_of(edge, site.limited_key) as client:
        answers = [await client.post("/v1/completions", json=body) for _ in range(6)]
    # Each replica counts for itself, so two of them let twice as many pass.
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 2 <= len(refused) <= 4
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert refused[0].json()["error"]["type"] == "rate_limit_error"


async def test_administration_and_metrics_are_closed_to_the_world(edge: nginx.Nginx) -> None:
    paths = ("/admin/adapters", "/admin/events", "/metrics", "/nowhere", "/docs")
    expected = {"127.0.0.1": [200, 200, 200, 404, 404], OUTSIDE: [403, 403, 403, 404, 404]}
    for source, statuses in expected.items():
        async with client_of(edge, ADMIN_KEY, source) as client:
            assert [(await client.get(path)).status_code for path in paths] == statuses
    async with client_of(edge, API_KEY, OUTSIDE) as client:
        assert (await client.get("/v1/models")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_replica_that_goes_takes_no_new_request_with_it(
    pair: tuple[Server, Server], mortal: Server, tmp_path: Path, number: signal.Signals
) -> None:
    with nginx.before(tmp_path / "nginx", address(pair[0]), address(mortal)) as edge:
        load = Load(edge)
        async with load.running():
            await asyncio.sleep(LOAD_S)
            gone_s = time.monotonic()
            mortal.process.send_signal(number)
            await asyncio.to_thread(mortal.process.wait)
            await asyncio.sleep(LOAD_S)
    new = sum(began_s >= gone_s for began_s, _ in load.asked)
    log.info("%s: %s asked, %s after it, lost %s", number.name, len(load.asked), new, load.lost())
    assert new > load.clients
    assert load.lost(since_s=gone_s) == []
    # Told to stop it ends what it has begun; killed it cuts the streams that it was writing.
    assert len(load.lost()) <= (0 if number == signal.SIGTERM else load.clients)


async def test_when_no_replica_is_left_the_answer_says_so(tmp_path: Path) -> None:
    with nginx.before(tmp_path / "nginx", f"127.0.0.1:{nginx.free_port()}") as edge:
        async with client_of(edge) as client:
            answer = await client.post("/v1/completions", json={"model": "alpha", "prompt": PROMPT})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_replica")
    assert int(answer.headers["retry-after"]) > 0


async def test_an_upgrade_on_one_store_loses_nothing(
    site: Site, mortal: Server, tmp_path: Path
) -> None:
    """The four steps of `docs/operations.md`, under load."""
    with contextlib.ExitStack() as stack:
        edge = stack.enter_context(nginx.before(tmp_path / "nginx", address(mortal)))
        load = Load(edge)
        async with load.running():
            await asyncio.sleep(LOAD_S)
            green = await asyncio.to_thread(stack.enter_context, site.replica("green"))
            async with httpx.AsyncClient(base_url=green.url) as direct:
                assert (await direct.get("/health/ready")).status_code == 200
            await asyncio.to_thread(edge.point_at, address(green))
            mortal.process.terminate()
            assert await asyncio.to_thread(mortal.process.wait) == 0
            switched_s = time.monotonic()
            await asyncio.sleep(LOAD_S)
    new = sum(began_s >= switched_s for began_s, _ in load.asked)
    log.info("upgrade: %s asked, %s of the new one, lost %s", len(load.asked), new, load.lost())
    assert new > load.clients
    assert load.lost() == []
