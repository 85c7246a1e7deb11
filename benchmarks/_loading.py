"""Load over HTTP, and the times of every token: what a client sees of a server."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import httpx


@dataclass
class Answer:
    """One streamed answer.

    Attributes:
        started_s: When it was asked for, on the monotonic clock.
        token_s: When each token came.
        model: Who gave it, by its own word.
        failed: Why it did not come to its end.
    """

    started_s: float
    token_s: list[float] = field(default_factory=list)
    model: str = ""
    failed: str | None = None

    @property
    def first_token_s(self) -> float:
        """How long the first token took."""
        return self.token_s[0] - self.started_s

    def gaps_s(self) -> list[tuple[float, float]]:
        """When a gap between two tokens ended, and how long it was."""
        return [(after, after - before) for before, after in pairwise(self.token_s)]


async def stream(client: httpx.AsyncClient, model: str, prompt: str, tokens: int) -> Answer:
    """Ask for a completion of exactly so many tokens."""
    answer = Answer(time.monotonic())
    body = {
        "model": model,
        "prompt": prompt,
        "max_tokens": tokens,
        "temperature": 0,
        "ignore_eos": True,
        "stream": True,
    }
    async with client.stream("POST", "/v1/completions", json=body) as response:
        ended = False
        async for line in response.aiter_lines():
            if line == "data: [DONE]":
                ended = True
            elif line.startswith("data: "):
                chunk = json.loads(line.removeprefix("data: "))
                answer.model = chunk.get("model", answer.model)
                if chunk.get("choices"):
                    answer.token_s.append(time.monotonic())
        if response.status_code != httpx.codes.OK or not ended:
            answer.failed = f"{response.status_code}, ended: {ended}"
    return answer


async def spread(concurrent: int, calls: Sequence[Callable[[], Awaitable[None]]]) -> float:
    """Make all calls, so many at a time, and return the seconds they took."""
    waiting = iter(calls)

    async def work() -> None:
        for call in waiting:
            await call()

    started_s = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrent):
            group.create_task(work())
    return time.monotonic() - started_s


class Connection:
    """A kept connection that asks the same thing again and again, at little cost of its own."""

    def __init__(self, url: str, body: dict[str, object]) -> None:
        self._host, _, port = url.removeprefix("http://").partition(":")
        self._port = int(port)
        data = json.dumps(body).encode()
        head = (
            f"POST /v1/completions HTTP/1.1\r\nhost: {self._host}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        )
        self._request = head.encode() + data

    async def ask(self, count: int) -> None:
        """Ask so many times, reading each answer to its end."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        for _ in range(count):
            writer.write(self._request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"the server answered {head[:200]!r}")
            lengths = [line for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
            if lengths:
                await reader.readexactly(int(lengths[0].partition(b":")[2]))
            else:
                await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.close()
        await writer.wait_closed()
