"""The service against vLLM's own server, our layer alone, and a swap under load.

Both servers run at once and are asked in turns, so that a busy machine slows both; only ratios
of one run are judged. What our own layer costs is counted in its process's CPU seconds.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx

from basemodels import resolve
from benchmarks import swap
from benchmarks._fairness import worst_wait
from benchmarks._loading import Answer, Connection, spread, stream
from benchmarks._random_adapters import make_store
from benchmarks._servers import (
    BASE,
    MAX_DOCKED,
    PROMPT,
    VERSIONS,
    Server,
    loradock,
    service_flags,
    vllm,
)
from benchmarks.figures import Figure, Sweep
from demo.processes import free_port
from service.engine.hardware import base_facts, detect
from service.engine.profile import EngineSettings, Wishes, choose

TOKENS = 24
ROUNDS = 3
# How many at once, and how many in all.
REQUESTS = {1: 3, 8: 8, 16: 16, 32: 32}
LAYER_TOKENS, LAYER_STREAMS, LAYER_REQUESTS, LAYER_CONNECTIONS = 256, 400, 100_000, 16
BUSY_S = 30.0
PARTS = ("layer", "engine", "swap")
MIB = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What this benchmark can be told beside what all can."""
    parser.add_argument(
        "--quick", action="store_true", help="one round, and a twentieth of the load"
    )
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="these alone [all of them]"
    )


def run(*, quick: bool = False, parts: Sequence[str] = PARTS) -> list[Figure]:
    """Measure everything; takes several minutes."""
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="service-") as scratch:
        if "layer" in parts:
            found += _layer(Path(scratch), LAYER_REQUESTS // (20 if quick else 1))
            found.append(worst_wait(Path(scratch), BUSY_S / (5 if quick else 1)))
        if "engine" in parts:
            found += _engine(Path(scratch), 1 if quick else ROUNDS)
    if "swap" in parts:
        found += swap.run()
    return found


def _engine(scratch: Path, rounds: int) -> Iterator[Figure]:
    base = resolve(BASE)
    store = make_store(scratch / "store", base, VERSIONS)
    wishes = Wishes(max_docked=MAX_DOCKED, max_rank=16, context_tokens=1024)
    settings = choose(detect(), base_facts(base), wishes).settings
    with ExitStack() as stack:
        theirs = stack.enter_context(
            vllm(
                base,
                {"alpha": store.resolve("alpha@1").path},
                _as_vllm_flags(settings),
                scratch / "vllm.log",
                free_port(),
            )
        )
        ours = stack.enter_context(
            loradock("service", service_flags(store.root), scratch / "ours.log", {})
        )
        yield from asyncio.run(_compared(ours, theirs, rounds))


def _as_vllm_flags(settings: EngineSettings) -> list[str]:
    """The engine that ours runs, in the words of vLLM's command line."""
    os.environ["OMP_NUM_THREADS"] = str(max(1, len(settings.cores)))
    flags = [
        *("--dtype", settings.dtype, "--max-model-len", str(settings.context_tokens)),
        *("--max-loras", str(settings.max_active), "--max-cpu-loras", str(settings.max_docked)),
        *("--max-lora-rank", str(settings.max_rank), "--generation-config", "vllm"),
    ]
    optional = {
        "--max-num-seqs": settings.max_sequences,
        "--kv-cache-memory-bytes": settings.kv_cache_bytes,
        "--gpu-memory-utilization": settings.memory_fraction,
    }
    for flag, value in optional.items():
        flags += [] if value is None else [flag, str(value)]
    return [*flags, "--enforce-eager"] if settings.eager else flags


async def _compared(ours: Server, theirs: Server, rounds: int) -> list[Figure]:
    found = []
    for concurrent, requests in REQUESTS.items():
        speeds: dict[str, list[float]] = {ours.url: [], theirs.url: []}
        firsts: dict[str, list[float]] = {ours.url: [], theirs.url: []}
        # One round more than counts: the first warms both.
        for number in range(rounds + 1):
            for server in (ours, theirs) if number % 2 else (theirs, ours):
                seconds, answers = await _round(server, concurrent, requests, number)
                if number:
                    speeds[server.url].append(requests * TOKENS / seconds)
                    firsts[server.url] += [answer.first_token_s for answer in answers]
        mine, others = (statistics.median(speeds[server.url]) for server in (ours, theirs))
        note = f"{mine:.1f} against {others:.1f} tokens/s, medians of {rounds} rounds in turn"
        name = f"{concurrent} at once, ours / vLLM's"
        found.append(Figure(f"throughput, {name}", mine / others, "", note=note))
        for whose, rate in (("ours", mine), ("vLLM's", others)):
            sweep = Sweep(whose, "requests at once over HTTP", concurrent)
            name_of_rate = f"throughput, {concurrent} at once, {whose}"
            found.append(Figure(name_of_rate, rate, "tokens/s", sweep=sweep))
        mine, others = (statistics.median(firsts[server.url]) for server in (ours, theirs))
        note = f"{mine * 1000:.0f} against {others * 1000:.0f} ms"
        found.append(Figure(f"first token p50, {name}", mine / others, "", note=note))
    return found


async def _round(
    server: Server, concurrent: int, requests: int, number: int
) -> tuple[float, list[Answer]]:
    answers: list[Answer] = []
    async with httpx.AsyncClient(base_url=server.url, timeout=300) as client:

        def call(index: int) -> "Call":
            return Call(client, f"{PROMPT} {number} {index}", answers)

        seconds = await spread(concurrent, [call(index) for index in range(requests)])
    failed = [answer.failed for answer in answers if answer.failed]
    if failed:
        raise RuntimeError(f"{server.url}: {failed}")
    return seconds, answers


class Call:
    """One request of a round."""

    def __init__(self, client: httpx.AsyncClient, prompt: str, answers: list[Answer]) -> None:
        self._client, self._prompt, self._answers = client, prompt, answers

    async def __call__(self) -> None:
        """Ask, and keep the answer."""
        self._answers.append(await stream(self._client, "alpha", self._prompt, TOKENS))


def _layer(scratch: Path, requests: int) -> Iterator[Figure]:
    store = make_store(scratch / "layer", resolve(BASE), 1)
    flags = ["--base", BASE, "--store", str(store.root)]
    environment = {"ANSWER_TOKENS": str(LAYER_TOKENS - 1)}
    log = scratch / "layer.log"
    with loradock("benchmarks._layer_server", flags, log, environment) as server:
        short = Connection(server.url, {"model": "alpha", "prompt": PROMPT, "max_tokens": 1})
        long = Connection(server.url, {"model": "alpha", "prompt": PROMPT, "stream": True})
        per_cpu_s = "per second of its CPU"
        rate = LAYER_STREAMS * LAYER_TOKENS / _cpu_of(server, long, LAYER_STREAMS)
        yield Figure("our layer, streamed", rate, "tokens/s", note=per_cpu_s)
        _cpu_of(server, short, requests // 5)
        before = server.resident_bytes()
        rate = requests / _cpu_of(server, short, requests)
        yield Figure("our layer, whole answers", rate, "requests/s", note=per_cpu_s)
        grown = (server.resident_bytes() - before) / MIB
        note = f"from {before / MIB:.0f} MiB over {requests} requests"
        yield Figure("our layer, growth of memory", grown, "MiB", note=note)


def _cpu_of(server: Server, connection: Connection, requests: int) -> float:
    """The CPU seconds that the server's process needs for so many requests."""

    async def ask() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(LAYER_CONNECTIONS):
                group.create_task(connection.ask(requests // LAYER_CONNECTIONS))

    before_s = server.cpu_seconds()
    asyncio.run(ask())
    return server.cpu_seconds() - before_s
