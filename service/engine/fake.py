"""A deterministic engine for tests and for trying the service: no model, faults on demand.

What it answers is a pure function of the adapter's name (or the base's) and the prompt text.
"""

import asyncio
import contextlib
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Literal

from service.engine import fake_metrics
from service.engine.errors import DockFailed, EngineDead, EngineOverloaded, EngineStartFailed
from service.engine.fake_openai import (
    Options,
    Shape,
    cut,
    logprobs_of,
    read_chat,
    read_completion,
    tokens,
)
from service.engine.protocol import JSON, DockedAdapter

WORDS = ("alder", "birch", "cedar", "elm", "fir", "hazel", "larch", "maple", "oak", "willow")


SLOT_POLL_S = 0.001


def words_for(name: str, prompt: str) -> str:
    """The default answer: eight words that depend on nothing but the two arguments."""
    digest = hashlib.sha256(f"{name}\0{prompt}".encode()).digest()
    return " ".join(WORDS[byte % len(WORDS)] for byte in digest[:8])


@dataclass
class Faults:
    """What goes wrong; may be changed while the engine runs.

    Attributes:
        start_fails: `start` raises EngineStartFailed.
        failing_docks: Names whose `dock` raises DockFailed.
        without_effect: Names that answer as the base does.
        not_finite: Names whose log-probabilities are NaN.
        overloaded: Every new request is turned away.
        dies_after_tokens: The engine dies once it has given so many tokens from now on.
        dock_delay_s: How long a dock takes.
        token_delay_s: How long each token takes.
        cache_full: The page of metrics says that the KV cache is full.
    """

    start_fails: bool = False
    failing_docks: set[str] = field(default_factory=set)
    without_effect: set[str] = field(default_factory=set)
    not_finite: set[str] = field(default_factory=set)
    overloaded: bool = False
    dies_after_tokens: int | None = None
    dock_delay_s: float = 0.0
    token_delay_s: float = 0.0
    cache_full: bool = False


class FakeEngine:
    """See the module.

    Args:
        base_model: The id of the base.
        answer: (adapter name or base id, prompt text) to the full text of the answer.
        faults: What goes wrong.
        max_docked: Adapters it can hold.
        max_slots: Adapters it computes at once; None: all it holds.

    Attributes:
        requests: (request id, name, prompt text) of all requests taken, oldest first.
        aborted: Ids of the requests given up before their end.
        running: Ids of the requests under way.
    """

    def __init__(
        self,
        base_model: str = "fake-base",
        *,
        answer: Callable[[str, str], str] = words_for,
        faults: Faults | None = None,
        max_docked: int = 16,
        max_slots: int | None = None,
    ) -> None:
        self.base_model = base_model
        self.max_slots = max_slots or max_docked
        self.faults = faults or Faults()
        self.requests: list[tuple[str, str, str]] = []
        self.aborted: list[str] = []
        self.running: set[str] = set()
        self._answer = answer
        self._max_docked = max_docked
        # One event for each life, so that a request of the last life does not join the next.
        self._death = asyncio.Event()
        self._death.set()
        self._docked: dict[int, DockedAdapter] = {}
        self._used_ids: set[int] = set()
        self._users: Counter[int] = Counter()

    async def start(self) -> None:
        """Come up with nothing docked, after a death too."""
        if self.faults.start_fails:
            raise EngineStartFailed("The engine did not start: it was told to fail.")
        self._docked.clear()
        self._used_ids.clear()
        self._users.clear()
        self._death = asyncio.Event()

    async def stop(self) -> None:
        """End; open requests end in EngineDead."""
        self.kill()

    def kill(self) -> None:
        """Die as a process does: at once, for all requests."""
        self._death.set()

    def alive(self) -> bool:
        """Whether it was started and has not died since."""
        return not self._death.is_set()

    async def dock(self, adapter: DockedAdapter) -> None:
        """Hold an adapter whose directory exists."""
        await _pause(0, self._death)
        if adapter.int_id in self._used_ids:
            raise AssertionError(f"the id {adapter.int_id} of {adapter.name} was used before")
        self._used_ids.add(adapter.int_id)
        await _pause(self.faults.dock_delay_s, self._death)
        if adapter.name in self.faults.failing_docks or not adapter.path.is_dir():
            raise DockFailed(f"{adapter.name} could not be loaded from {adapter.path}.")
        if len(self._docked) >= self._max_docked:
            raise DockFailed(f"{adapter.name} was not loaded: {self._max_docked} are docked.")
        self._docked[adapter.int_id] = adapter

    async def undock(self, adapter: DockedAdapter) -> None:
        """Let an adapter go; a caller who breaks the promise that nobody uses it is told."""
        await _pause(0, self._death)
        if self._users[adapter.int_id]:
            raise AssertionError(f"{adapter.name} was undocked while a request used it")
        self._docked.pop(adapter.int_id, None)

    async def docked(self) -> set[int]:
        """The ids held."""
        await _pause(0, self._death)
        return set(self._docked)

    async def chat(
        self, body: JSON, adapter: DockedAdapter | None, request_id: str
    ) -> JSON | AsyncIterator[JSON]:
        """Answer a chat body."""
        return await self._take("chat", *read_chat(body, adapter), adapter, request_id)

    async def complete(
        self, body: JSON, adapter: DockedAdapter | None, request_id: str
    ) -> JSON | AsyncIterator[JSON]:
        """Answer a completion body."""
        return await self._take("text", *read_completion(body), adapter, request_id)

    def metrics_text(self) -> str:
        """What of vLLM's series others read, with this engine's values."""
        return fake_metrics.page(
            self.base_model,
            running=len(self.running),
            kv_cache_ratio=float(self.faults.cache_full),
            max_slots=self.max_slots,
            running_adapters=sorted(
                adapter.name for int_id, adapter in self._docked.items() if self._users[int_id]
            ),
        )

    async def _take(
        self,
        kind: Literal["chat", "text"],
        prompt: str,
        options: Options,
        adapter: DockedAdapter | None,
        request_id: str,
    ) -> JSON | AsyncIterator[JSON]:
        await _pause(0, self._death)
        if self.faults.overloaded:
            raise EngineOverloaded("The engine's queue is full; try again in a moment.")
        if adapter is not None and adapter.int_id not in self._docked:
            raise AssertionError(f"{adapter.name} is not docked")
        name = adapter.name if adapter else self.base_model
        self.requests.append((request_id, name, prompt))
        voice = self.base_model if name in self.faults.without_effect else name
        given, finish = cut(self._answer(voice, prompt), options)
        echoed = tokens(prompt) if options.echo else []
        given = echoed if options.echo and options.max_tokens == 0 else echoed + given
        finite = name not in self.faults.not_finite
        shape = Shape(
            kind,
            request_id,
            name,
            prompt,
            logprobs_of(voice, prompt, len(given), finite=finite, echoed=len(echoed))
            if options.logprobs
            else None,
            len(echoed),
            counts=options.stream_options.get("continuous_usage_stats", False),
        )
        stream = self._stream(shape, given, finish, options.n, adapter)
        if options.stream:
            return stream
        async for _ in stream:
            pass
        return shape.whole(given, finish, options.n)

    async def _stream(
        self, shape: Shape, given: list[str], finish: str, n: int, adapter: DockedAdapter | None
    ) -> AsyncIterator[JSON]:
        int_id = adapter.int_id if adapter else 0
        death = self._death
        ended = False
        await self._slot(int_id, death)
        self._users[int_id] += 1
        self.running.add(shape.request_id)
        try:
            for index in range(n):
                if opening := shape.opening(index):
                    yield opening
            for position, token in enumerate(given):
                await self._tick(death)
                last = position == len(given) - 1
                for index in range(n):
                    yield shape.piece(index, position, token, finish if last else None)
            yield shape.last(given, n)
            ended = True
        finally:
            self._users[int_id] -= 1
            self.running.discard(shape.request_id)
            if not ended and not death.is_set():
                self.aborted.append(shape.request_id)

    async def _slot(self, int_id: int, death: asyncio.Event) -> None:
        """Wait as vLLM does: until a slot is free or somebody's with the same adapter runs."""
        while int_id and not self._users[int_id]:
            busy = [other for other, users in self._users.items() if other and users > 0]
            if len(busy) < self.max_slots:
                return
            await _pause(SLOT_POLL_S, death)

    async def _tick(self, death: asyncio.Event) -> None:
        if self.faults.dies_after_tokens is not None:
            self.faults.dies_after_tokens -= 1
            if self.faults.dies_after_tokens < 0:
                self.faults.dies_after_tokens = None
                self.kill()
        await _pause(self.faults.token_delay_s, death)


async def _pause(seconds: float, death: asyncio.Event) -> None:
    """Sleep, but wake at the engine's death."""
    if seconds == 0:
        await asyncio.sleep(0)
    elif not death.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await death.wait()
    if death.is_set():
        raise EngineDead("The engine is not running; start it again.")
