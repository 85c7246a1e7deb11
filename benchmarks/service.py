"""The service against vLLM's own server, a swap under load, a cold dock, and our layer alone.

Both servers run at once and are asked in turns, so that a busy machine slows both; only ratios
of one run are judged. What our own layer costs is counted in its process's CPU seconds.
"""

import asyncio
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx

from adapters.store import Store
from basemodels import resolve
from benchmarks._loading import Answer, Connection, spread, stream
from benchmarks._random_adapters import publish
from benchmarks._servers import Server, loradock, vllm
from benchmarks.figures import Figure, at_least, at_most
from service.engine.hardware import base_facts, detect
from service.engine.profile import EngineSettings, Wishes, choose

BASE = "smollm2-135m-instruct"
VERSIONS = 4
TOKENS = 24
ROUNDS = 3
REQUESTS = {1: 3, 8: 8, 16: 16}
MAX_DOCKED = 4
PROMPT = "Once upon a time there was a number that nobody had counted yet, and it was"
SWAP_CLIENTS, SWAP_TOKENS = 8, 64
LAYER_TOKENS, LAYER_REQUESTS, LAYER_CONNECTIONS = 256, 100_000, 16
MIB = 1 << 20


def run() -> list[Figure]:
    """Measure everything; takes several minutes."""
    with tempfile.TemporaryDirectory(prefix="service-") as scratch:
        return [*_layer(Path(scratch)), *_engine(Path(scratch))]


def _engine(scratch: Path) -> Iterator[Figure]:
    base = resolve(BASE)
    store = Store(scratch / "store")
    for seed in range(1, VERSIONS + 1):
        publish(store, "alpha", base, scratch, seed=seed)
    store.set_alias("alpha", "stable", 1, expected=None, who="benchmark", why="start")
    wishes = Wishes(max_docked=MAX_DOCKED, max_rank=16, context_tokens=1024)
    settings = choose(detect(), base_facts(base), wishes).settings
    ours_flags = [
        *("--base", BASE, "--store", str(store.root), "--max-docked-versions", str(MAX_DOCKED)),
        *("--max-lora-rank", "16", "--max-context-tokens", "1024"),
    ]
    with ExitStack() as stack:
        theirs = stack.enter_context(
            vllm(
                base,
                {"alpha": store.resolve("alpha@1").path},
                _as_vllm_flags(settings),
                scratch / "vllm.log",
                _free_port(),
            )
        )
        ours = stack.enter_context(loradock("service", ours_flags, scratch / "ours.log", {}))
        yield from asyncio.run(_compared(ours, theirs))
        yield from asyncio.run(_swapped(ours))
        yield from asyncio.run(_docked_cold(ours, store.resolve("alpha@3").path))


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _compared(ours: Server, theirs: Server) -> list[Figure]:
    found = []
    for concurrent, requests in REQUESTS.items():
        speeds: dict[str, list[float]] = {ours.url: [], theirs.url: []}
        firsts: dict[str, list[float]] = {ours.url: [], theirs.url: []}
        # One round more than counts: the first warms both.
        for number in range(ROUNDS + 1):
            for server in (ours, theirs) if number % 2 else (theirs, ours):
                seconds, answers = await _round(server, concurrent, requests, number)
                if number:
                    speeds[server.url].append(requests * TOKENS / seconds)
                    firsts[server.url] += [answer.first_token_s for answer in answers]
        mine, others = (statistics.median(speeds[server.url]) for server in (ours, theirs))
        note = f"{mine:.1f} against {others:.1f} tokens/s, medians of {ROUNDS} rounds in turn"
        found.append(
            at_least(
                f"throughput, {concurrent} at once, ours / vLLM's", mine / others, "", 0.98, note
            )
        )
        mine, others = (statistics.median(firsts[server.url]) for server in (ours, theirs))
        note = f"{mine * 1000:.0f} against {others * 1000:.0f} ms"
        found.append(
            at_most(
                f"first token p50, {concurrent} at once, ours / vLLM's",
                mine / others,
                "",
                1.05,
                note,
            )
        )
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


async def _swapped(ours: Server) -> list[Figure]:
    """Promote version 2 while clients stream; what each of them sees."""
    answers: list[Answer] = []
    ended = asyncio.Event()

    async def client_of(number: int, client: httpx.AsyncClient) -> None:
        while not ended.is_set():
            answers.append(await stream(client, "alpha", f"{PROMPT} {number}", SWAP_TOKENS))

    async with (
        httpx.AsyncClient(base_url=ours.url, timeout=300) as client,
        asyncio.TaskGroup() as group,
    ):
        for number in range(SWAP_CLIENTS):
            group.create_task(client_of(number, client))
        await asyncio.sleep(10)
        began_s = time.monotonic()
        moved = await client.post("/admin/adapters/alpha/promote", json={"version": 2})
        promoted_s = time.monotonic()
        moved.raise_for_status()
        fresh = await stream(client, "alpha", f"{PROMPT} now", 4)
        await asyncio.sleep(5)
        ended.set()
    return _judged(answers, began_s, promoted_s, fresh)


def _judged(
    answers: list[Answer], began_s: float, promoted_s: float, fresh: Answer
) -> list[Figure]:
    gaps = [gap for answer in answers for gap in answer.gaps_s()]
    before = sorted(seconds for when, seconds in gaps if when < began_s)
    step_s = statistics.median(before)
    usual_s = before[int(len(before) * 0.99)]
    around = max(seconds for when, seconds in gaps if began_s <= when <= promoted_s + 1)
    wrong = [answer for answer in [*answers, fresh] if answer.failed]
    late = fresh.token_s[0] - promoted_s if fresh.model == "alpha@2" else float("inf")
    note = f"step {step_s * 1000:.0f} ms, p99 before {usual_s * 1000:.0f} ms, promote {promoted_s - began_s:.2f} s"
    return [
        at_most("swap under load, failed", len(wrong), "requests", 0, f"{len(answers)} streams"),
        at_most("swap, longest gap beyond p99", (around - usual_s) / step_s, "steps", 3, note),
        at_most(
            "swap, first answer of the new version", late, "s", 2, "after the promote's answer"
        ),
    ]


async def _docked_cold(ours: Server, directory: Path) -> list[Figure]:
    read_s = min(_read_cold(directory) for _ in range(3))
    _forget(directory)
    async with httpx.AsyncClient(base_url=ours.url, timeout=120) as client:
        cold = await stream(client, "alpha@3", PROMPT, 1)
        warm = [await stream(client, "alpha@3", f"{PROMPT} {n}", 1) for n in range(3)]
    usual_s = statistics.median(answer.first_token_s for answer in warm)
    beyond_s = cold.first_token_s - usual_s - read_s
    note = f"first answer {cold.first_token_s:.2f} s, later ones {usual_s:.2f} s, read {read_s * 1000:.1f} ms"
    return [at_most("dock of a cold adapter, beyond its read", beyond_s, "s", 0.5, note)]


def _forget(directory: Path) -> None:
    """Have the kernel drop the files from its page cache."""
    for path in directory.iterdir():
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _read_cold(directory: Path) -> float:
    _forget(directory)
    started_s = time.monotonic()
    for path in directory.iterdir():
        path.read_bytes()
    return time.monotonic() - started_s


def _layer(scratch: Path) -> Iterator[Figure]:
    root = scratch / "layer"
    root.mkdir()
    base = resolve(BASE)
    store = Store(root / "store")
    publish(store, "alpha", base, root, seed=1)
    store.set_alias("alpha", "stable", 1, expected=None, who="benchmark", why="start")
    flags = ["--base", BASE, "--store", str(store.root)]
    environment = {"ANSWER_TOKENS": str(LAYER_TOKENS - 1)}
    with loradock("benchmarks._layer_server", flags, root / "log", environment) as server:
        short = Connection(server.url, {"model": "alpha", "prompt": PROMPT, "max_tokens": 1})
        long = Connection(server.url, {"model": "alpha", "prompt": PROMPT, "stream": True})
        cpu_s = _cpu_of(server, long, 400)
        rate = 400 * LAYER_TOKENS / cpu_s
        yield at_least("our layer, streamed", rate, "tokens/s", 20_000, "per second of its CPU")
        _cpu_of(server, short, LAYER_REQUESTS // 5)
        before = server.resident_bytes()
        cpu_s = _cpu_of(server, short, LAYER_REQUESTS)
        rate = LAYER_REQUESTS / cpu_s
        yield at_least(
            "our layer, whole answers", rate, "requests/s", 1500, "per second of its CPU"
        )
        grown = (server.resident_bytes() - before) / MIB
        note = f"from {before / MIB:.0f} MiB over {LAYER_REQUESTS} requests"
        yield at_most("our layer, growth of memory", grown, "MiB", 8, note)


def _cpu_of(server: Server, connection: Connection, requests: int) -> float:
    """The CPU seconds that the server's process needs for so many requests."""

    async def ask() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(LAYER_CONNECTIONS):
                group.create_task(connection.ask(requests // LAYER_CONNECTIONS))

    before_s = server.cpu_seconds()
    asyncio.run(ask())
    return server.cpu_seconds() - before_s
