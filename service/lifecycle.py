"""Whether the server takes work, and if not why: starting, serving, engine down, draining.

Routes ask it; the supervisor and the signal handlers tell it. It does nothing by itself.
"""

import asyncio
from collections.abc import Callable

from service.errors import EngineUnavailable, ShuttingDown


class Lifecycle:
    """The server's state as sentences for `/health/ready`.

    Attributes:
        waiting_for: What start-up or a restart is waiting for; `None` once the server serves.
        stopping: Set when the server was told to stop.
        failure: Why the server has to end by itself, if it has to.
    """

    def __init__(self) -> None:
        self.waiting_for: str | None = "the engine to start"
        self.stopping = asyncio.Event()
        self._under_way: set[Callable[[], None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.failure: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        """End the server: something that cannot be mended went wrong."""
        self.failure = error
        self.stopping.set()

    def reasons(self) -> list[str]:
        """Why the server is not ready; empty when it is."""
        reasons = []
        if self.stopping.is_set():
            reasons.append("the server is shutting down")
        if self.waiting_for is not None:
            reasons.append(f"waiting for {self.waiting_for}")
        return reasons

    def require_serving(self) -> None:
        """Refuse new work while there can be none.

        Raises:
            ShuttingDown: The server was told to stop.
            EngineUnavailable: The engine is not up yet, or not any more.
        """
        if self.stopping.is_set():
            raise ShuttingDown("The server is shutting down. Ask another one, or try again later.")
        if self.waiting_for is not None:
            raise EngineUnavailable(
                f"The server is waiting for {self.waiting_for}. Try again later."
            )

    def begin(self, cut: Callable[[], None]) -> None:
        """A request is under way; `cut` ends it with an error that its client can read."""
        self._under_way.add(cut)
        self._idle.clear()

    def end(self, cut: Callable[[], None]) -> None:
        """The request that began with `cut` is over."""
        self._under_way.discard(cut)
        if not self._under_way:
            self._idle.set()

    @property
    def under_way(self) -> int:
        """Requests that have begun and are not over."""
        return len(self._under_way)

    async def idle(self) -> None:
        """Return when no request is under way."""
        await self._idle.wait()

    def cut_all(self) -> None:
        """End every request under way."""
        for cut in list(self._under_way):
            cut()
