"""Three versions that are always busy, and places for two: how long the one that waits has to wait.

Over the fake engine, whose answers take a known time, so that the wait can be judged by it.
"""

import asyncio
import time
from pathlib import Path

import httpx

from basemodels import resolve
from benchmarks._loading import Answer, stream
from benchmarks._random_adapters import make_store
from benchmarks._servers import BASE, PROMPT, Server, loradock
from benchmarks.figures import Figure
from service.turns import TURN_S

BUSY, PLACES, CLIENTS_EACH = 3, 2, 3
TOKENS, TOKEN_S = 40, 0.01


def worst_wait(scratch: Path, seconds_long: float) -> Figure:
    """The longest wait for a first token, in turns: a turn, and an answer that is under way at its end."""
    store = make_store(scratch / "busy", resolve(BASE), BUSY)
    flags = ["--base", BASE, "--store", str(store.root), "--max-docked-versions", str(PLACES)]
    environment = {"ANSWER_TOKENS": str(TOKENS - 1), "TOKEN_DELAY_S": str(TOKEN_S)}
    log = scratch / "busy.log"
    with loradock("benchmarks._layer_server", flags, log, environment) as server:
        answers = asyncio.run(_keep_busy(server, seconds_long))
    failed = [answer.failed for answer in answers if answer.failed]
    if failed:
        raise RuntimeError(f"{server.url}: {failed}")
    waits_s = sorted(answer.first_token_s for answer in answers)
    turn_s = TURN_S + TOKENS * TOKEN_S
    counts = [
        sum(answer.model == f"alpha@{number + 1}" for answer in answers) for number in range(BUSY)
    ]
    note = (
        f"{waits_s[-1]:.2f} s, median {waits_s[len(waits_s) // 2]:.2f} s; answers of each: {counts}"
    )
    name = "three busy adapters in two places, longest wait"
    return Figure(name, waits_s[-1] / turn_s, "turns", note=note)


async def _keep_busy(server: Server, seconds_long: float) -> list[Answer]:
    answers: list[Answer] = []
    end_s = time.monotonic() + seconds_long

    async def keep_asking(client: httpx.AsyncClient, model: str) -> None:
        while time.monotonic() < end_s:
            answers.append(await stream(client, model, PROMPT, TOKENS))

    async with (
        httpx.AsyncClient(base_url=server.url, timeout=120) as client,
        asyncio.TaskGroup() as group,
    ):
        for number in range(BUSY * CLIENTS_EACH):
            group.create_task(keep_asking(client, f"alpha@{number % BUSY + 1}"))
    return answers
