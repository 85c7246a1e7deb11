"""Everything at once on one server: clients, clients that leave, wrong requests, moves, new versions.

What each version says is known before it can be asked, so an answer by another one is found out.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from adapters import collecting
from adapters.collecting import Policy
from adapters.store import Store

CLIENTS, LEAVERS = 6, 2
PROMPT = "Say:"
TIMEOUT_S = 120.0
# As gc by a timer would: what has not been pointed at for a while goes.
POLICY = Policy(keep_targets=3, min_age_s=180.0)
WRONG: tuple[bytes, ...] = (
    b"{",
    b"null",
    b'{"model": "alpha", "prompt": "\xff"}',
    b'{"model": "nobody", "prompt": "x"}',
    b'{"model": "alpha@999999", "prompt": "x"}',
    b'{"model": "alpha", "prompt": "x", "max_tokens": "many"}',
    b'{"model": "alpha", "prompt": "x", "temperature": -3}',
    b'{"model": "alpha", "prompt": "x", "n": 100000}',
    b"[" * 5000 + b"]" * 5000,
)


@dataclass
class Seen:
    """What happened.

    Attributes:
        answers: By version.
        lost: Right requests without an answer, with what came instead.
        wrong: Answers by another version than was asked for, or in the name of another.
        left: Clients that went in mid-stream.
        refused: Wrong requests that were answered with 4xx.
        not_refused: Wrong requests that were not.
        moves: Promotes and rollbacks, by status.
        published: New versions.
        collected: Old versions that were removed.
    """

    answers: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    left: int = 0
    refused: int = 0
    not_refused: list[str] = field(default_factory=list)
    moves: Counter[int] = field(default_factory=Counter)
    published: int = 0
    collected: int = 0


class Sayings:
    """What the versions say, and how one more is made.

    Args:
        store: Where versions go.
        publish: Publishes one more version of a name and returns its number and its word.
        right: Whether a text is what (version, word) says.
    """

    def __init__(
        self,
        store: Store,
        publish: Callable[[str], tuple[int, str]],
        right: Callable[[str, str, str], bool],
    ) -> None:
        self.store = store
        self.words: dict[str, str] = {}
        self.newest: dict[str, list[int]] = {}
        self._publish = publish
        self._right = right

    def publish(self, name: str) -> None:
        """One more version; known before anybody can be answered by it."""
        number, word = self._publish(name)
        self.words[f"{name}@{number}"] = word
        self.newest[name] = [*self.newest.get(name, []), number][-2:]

    def judge(self, asked: str, named: set[str], text: str) -> str | None:
        """What is wrong with an answer, if anything is."""
        if len(named) != 1:
            return f"{asked}: one answer names {named}"
        (version,) = named
        if version.partition("@")[0] != asked or version not in self.words:
            return f"{asked}: answered by {version}"
        if not self._right(version, self.words[version], text):
            return f"{asked}: {version} said {text[:40]!r}"
        return None


class Soak:
    """One load; `run` it for a while and look at `seen`.

    Args:
        url: Of the server.
        sayings: Has a version of each name that is served.
        seconds: How long.
        publish_every_s: Between new versions.
    """

    def __init__(
        self, url: str, sayings: Sayings, seconds: float, *, publish_every_s: float
    ) -> None:
        self.seen = Seen()
        self._sayings = sayings
        self._names = [*sayings.newest]
        self._every_s = publish_every_s
        self._end_s = time.monotonic() + seconds
        self._chance = random.Random(5)  # noqa: S311 - a schedule, not a secret
        self._http = httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S)

    async def run(self) -> None:
        """All at once until the time is over; then nothing is under way any more."""
        async with self._http, asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(self._while_going(self._ask))
            for _ in range(LEAVERS):
                group.create_task(self._while_going(self._leave))
            group.create_task(self._while_going(self._ask_wrong))
            group.create_task(self._while_going(self._move))
            group.create_task(self._while_going(self._publish))

    async def _while_going(self, act: Callable[[], Any]) -> None:
        while time.monotonic() < self._end_s:
            await act()

    def _body(self, name: str) -> dict[str, object]:
        tokens = self._chance.choice([3, 30, 120])
        return {
            "model": name,
            "prompt": PROMPT,
            "max_tokens": tokens,
            "temperature": 0,
            "stream": True,
        }

    async def _ask(self) -> None:
        name = self._chance.choice(self._names)
        lines: list[str] = []
        try:
            async with self._http.stream("POST", "/v1/completions", json=self._body(name)) as sent:
                lines += [line async for line in sent.aiter_lines() if line]
        except httpx.HTTPError as error:
            self.seen.lost.append(f"{name}: {error!r}")
            return
        if sent.status_code != httpx.codes.OK or lines[-1:] != ["data: [DONE]"]:
            self.seen.lost.append(f"{name}: {sent.status_code} {' '.join(lines[-1:])[:200]}")
            return
        chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
        text = "".join(chunk["choices"][0]["text"] for chunk in chunks if chunk["choices"])
        named = {chunk["model"] for chunk in chunks}
        self.seen.answers[", ".join(sorted(named))] += 1
        wrong = self._sayings.judge(name, named, text)
        self.seen.wrong += [wrong] if wrong else []

    async def _leave(self) -> None:
        body = {**self._body(self._chance.choice(self._names)), "max_tokens": 1000}
        async with self._http.stream("POST", "/v1/completions", json=body) as sent:
            await anext(sent.aiter_lines(), "")
        self.seen.left += 1
        await asyncio.sleep(0.2)

    async def _ask_wrong(self) -> None:
        body = self._chance.choice(WRONG)
        headers = {"content-type": "application/json"}
        answer = await self._http.post("/v1/completions", content=body, headers=headers)
        if answer.is_client_error:
            self.seen.refused += 1
        else:
            self.seen.not_refused.append(f"{body[:60]!r}: {answer.status_code}")
        await asyncio.sleep(0.1)

    async def _move(self) -> None:
        name = self._chance.choice(self._names)
        if self._chance.random() < 0.7:
            version = self._chance.choice(self._sayings.newest[name])
            await self._post(f"/admin/adapters/{name}/promote", {"version": version})
        else:
            await self._post(f"/admin/adapters/{name}/rollback", {})
        await asyncio.sleep(self._chance.choice([0.0, 0.2, 1.0]))

    async def _post(self, path: str, body: dict[str, object]) -> None:
        moved = await self._http.post(path, json=body)
        self.seen.moves[moved.status_code] += 1
        if moved.is_server_error:
            self.seen.lost.append(f"{path}: {moved.status_code} {moved.text[:200]}")

    async def _publish(self) -> None:
        name = self._chance.choice(self._names)
        await asyncio.to_thread(self._sayings.publish, name)
        self.seen.published += 1
        version = self._sayings.newest[name][-1]
        await self._post(f"/admin/adapters/{name}/promote", {"version": version})
        collected = await asyncio.to_thread(
            collecting.collect, self._sayings.store, name, POLICY, dry_run=False
        )
        self.seen.collected += sum(verdict.remove for verdict in collected.verdicts)
        await asyncio.sleep(min(self._every_s, max(0.0, self._end_s - time.monotonic())))
