"""Proves the deployment on this machine: two replicas over the fake engine on one store. `scripts/ray` runs it.

Prints what it measured and ends with 1 if a promise does not hold.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml

from service.engine.fake import words_for
from tests.service.tiny_store import make_store, publish

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOKEN_S = 0.1
READY_TIMEOUT_S = 300.0
CONVERGED_S = 2.0
CLIENTS = 4
LOAD_S = 3.0
KEYS = {"LORADOCK_API_KEY": "inference-key-0001", "LORADOCK_ADMIN_KEY": "administer-key-001"}
READS = {"Authorization": f"Bearer {KEYS['LORADOCK_API_KEY']}"}
WRITES = {"Authorization": f"Bearer {KEYS['LORADOCK_ADMIN_KEY']}"}


def adapted(port: int) -> dict[str, Any]:
    """serve.yaml with two replicas on processors alone, and the fake engine."""
    document: dict[str, Any] = yaml.safe_load((HERE / "serve.yaml").read_text(encoding="utf-8"))
    document["http_options"]["port"] = port
    application = document["applications"][0]
    application["args"]["engine"] = "tests.service.fake_server:make_engine"
    for deployment in application["deployments"]:
        deployment["ray_actor_options"] = {"num_cpus": 0.1}
        if "autoscaling_config" in deployment:
            deployment["autoscaling_config"].update(min_replicas=2, max_replicas=2)
    return document


@contextlib.contextmanager
def serving(root: Path) -> Iterator[str]:
    """Ray and the deployment in processes of their own; the URL."""
    store, base = make_store(root, probes=())
    publish(store, "beta", base, root, seed=9, probes=())
    store.set_alias("beta", "stable", 1, expected=None, who="proof", why="start")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = root / "serve.yaml"
    config.write_text(yaml.safe_dump(adapted(port)), encoding="utf-8")
    settings = {
        **KEYS,
        "LORADOCK_BASE": str(base),
        "LORADOCK_STORE": str(store.root),
        "FAKE_TOKEN_DELAY_S": str(TOKEN_S),
        "PYTHONPATH": f"{ROOT}:{HERE}",
        # A cluster of its own, whatever else runs here, that tells nobody about it.
        "RAY_ADDRESS": "local",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [str(Path(sys.executable).with_name("serve")), "run", str(config)],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process, root / "log")
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Both replicas are up."""
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    seen: set[str] = set()
    while len(seen) < 2:
        if process.poll() is not None or time.monotonic() > deadline_s:
            sys.exit(log.read_text(encoding="utf-8", errors="replace")[-5000:])
        with contextlib.suppress(httpx.TransportError, KeyError):
            seen.add(httpx.get(f"{url}/health/ready").headers["x-replica"])
        time.sleep(0.1)


async def ask(client: httpx.AsyncClient, model: str) -> tuple[str, str, list[float]]:
    """One stream: its text, the replica, and when each token came."""
    body = {"model": model, "prompt": "Hello", "stream": True}
    text, times_s, ended = "", [], False
    async with client.stream("POST", "/v1/completions", json=body, headers=READS) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            ended = ended or line == "data: [DONE]"
            if line.startswith("data: {"):
                times_s.append(time.monotonic())
                text += said(json.loads(line.removeprefix("data: ")))
    if not ended:
        raise httpx.RemoteProtocolError("the stream ended without [DONE]")
    return text, response.headers["x-replica"], times_s


def said(chunk: dict[str, Any]) -> str:
    """The text of a chunk; an error in its place is raised."""
    if "error" in chunk:
        raise httpx.RemoteProtocolError(chunk["error"]["message"])
    return "".join(choice["text"] for choice in chunk["choices"])


async def prove_stream(client: httpx.AsyncClient) -> None:
    """Tokens come as they are made."""
    text, _, times_s = await ask(client, "alpha")
    spread_s = times_s[-1] - times_s[0]
    print(f"stream: first token {spread_s:.2f} s before the last; made {7 * TOKEN_S:.2f} s before")
    require(text == words_for("alpha@1", "Hello"), "the answer is not alpha's")
    require(spread_s > 5 * TOKEN_S, "the stream was held back")


async def prove_affinity(client: httpx.AsyncClient) -> str:
    """An adapter stays at its replica; returns alpha's."""
    for model in ("alpha", "beta"):
        await ask(client, model)
    # Replicas tell the router every 0.1 s.
    await asyncio.sleep(1)
    found = {}
    for model in ("alpha", "beta"):
        answers = await asyncio.gather(*(ask(client, model) for _ in range(12)))
        found[model] = {replica for _, replica, _ in answers}
        print(f"affinity: 12 requests of {model} at once went to {len(found[model])} replica(s)")
        require(len(found[model]) == 1, f"{model} does not stick")
    require(found["alpha"] != found["beta"], "one replica has both, the other none")
    return found["alpha"].pop()


async def prove_promote(client: httpx.AsyncClient) -> None:
    """Both replicas serve what was promoted at one."""
    path = "/admin/adapters"
    started_s = time.monotonic()
    body = {"version": 2}
    (await client.post(f"{path}/alpha/promote", json=body, headers=WRITES)).raise_for_status()
    seen: set[str] = set()
    while len(seen) < 2:
        answer = await client.get(path, headers=WRITES)
        alpha = next(one for one in answer.json()["adapters"] if one["name"] == "alpha")
        if alpha["aliases"]["stable"] == 2:
            seen.add(answer.headers["x-replica"])
        require(time.monotonic() - started_s < CONVERGED_S, f"only {seen} serve version 2")
    print(f"promote: both replicas serve it after {time.monotonic() - started_s:.2f} s")
    text, _, _ = await ask(client, "alpha")
    require(text == words_for("alpha@2", "Hello"), "alpha still answers as version 1")


@contextlib.asynccontextmanager
async def loaded(client: httpx.AsyncClient, asked: list[tuple[float, str]]) -> AsyncIterator[None]:
    """Clients without a pause; notes when each request began and what went wrong with it."""
    over = asyncio.Event()

    async def go_on() -> None:
        while not over.is_set():
            began_s = time.monotonic()
            try:
                text, _, _ = await ask(client, "alpha")
                asked.append((began_s, "" if text == words_for("alpha@2", "Hello") else text))
            except httpx.HTTPError as error:
                asked.append((began_s, repr(error)))

    tasks = [asyncio.create_task(go_on()) for _ in range(CLIENTS)]
    yield
    over.set()
    await asyncio.gather(*tasks)


async def prove_death(client: httpx.AsyncClient, replica: str) -> None:
    """The replica that has the adapter is killed under load."""
    asked: list[tuple[float, str]] = []
    async with loaded(client, asked):
        await asyncio.sleep(LOAD_S)
        killed_s = time.monotonic()
        os.kill(int(replica.rpartition(":")[2]), signal.SIGKILL)
        await asyncio.sleep(2 * LOAD_S)
    new = [wrong for began_s, wrong in asked if began_s >= killed_s]
    cut = sum(bool(wrong) for began_s, wrong in asked if began_s < killed_s)
    print(f"death: {len(new)} requests after it, lost {sum(map(bool, new))}; streams cut: {cut}")
    print(f"death: the clients of those were told {sorted({why for _, why in asked if why})}")
    require(len(new) > CLIENTS, "too few requests to say anything")
    require(not any(new), f"lost: {[wrong for wrong in new if wrong]}")
    require(cut <= CLIENTS, "more was lost than was under way")


def require(holds: bool, complaint: str) -> None:
    """End with a complaint if a promise does not hold."""
    if not holds:
        sys.exit(f"prove: {complaint}")


async def prove(url: str) -> None:
    """All promises, one after the other."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        await prove_stream(client)
        replica = await prove_affinity(client)
        await prove_promote(client)
        await prove_death(client, replica)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch, serving(Path(scratch)) as address:
        asyncio.run(prove(address))
    print("prove: all promises hold")
