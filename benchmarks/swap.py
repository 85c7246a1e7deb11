"""A promote while clients stream, and an adapter that is docked for its first request.

Gaps between tokens are judged in steps of the engine, so a slow machine is not taken for a slow swap.
"""

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from basemodels import resolve
from benchmarks._loading import Answer, stream
from benchmarks._random_adapters import make_store
from benchmarks._servers import BASE, PROMPT, VERSIONS, Server, loradock, service_flags
from benchmarks.figures import Figure

SWAP_CLIENTS, SWAP_TOKENS = 8, 64


def run() -> list[Figure]:
    """Measure on the embedded base; takes about a minute once the engine is up."""
    with tempfile.TemporaryDirectory(prefix="swap-") as name:
        scratch = Path(name)
        store = make_store(scratch / "store", resolve(BASE), VERSIONS)
        with loradock("service", service_flags(store.root), scratch / "log", {}) as ours:
            return [
                *asyncio.run(_swapped(ours)),
                *asyncio.run(_docked_cold(ours, store.resolve("alpha@3").path)),
            ]


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
        Figure("swap under load, failed", len(wrong), "requests", note=f"{len(answers)} streams"),
        Figure("swap, longest gap beyond p99", (around - usual_s) / step_s, "steps", note=note),
        Figure("swap, first answer of the new version", late, "s", note="after the promote's"),
        # A step of a GPU is shorter than anything that a client would notice.
        Figure("swap, longest gap beyond p99, in seconds", around - usual_s, "s", note=note),
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
    return [Figure("dock of a cold adapter, beyond its read", beyond_s, "s", note=note)]


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
