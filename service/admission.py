"""How many requests the engine sees at once; the rest wait in order, bounded in number and time.

Knows nothing of adapters. vLLM batches what it gets; what it must not get is an unbounded heap.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.errors import Overloaded


class Admission:
    """A bounded room with a bounded queue before it."""

    def __init__(self, *, max_in_flight: int, max_queued: int, queue_timeout_s: float) -> None:
        self._places = asyncio.Semaphore(max_in_flight)
        self._max_queued = max_queued
        self._queue_timeout_s = queue_timeout_s
        self.queued = 0
        self.in_flight = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold one place, waiting for it if need be.

        Raises:
            Overloaded: The queue is full, or the wait took too long.
        """
        await self._enter()
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            self._places.release()

    async def _enter(self) -> None:
        if self._places.locked() and self.queued >= self._max_queued:
            raise Overloaded(
                f"The server is full: {self.in_flight} requests in flight and {self.queued} "
                f"waiting (at most {self._max_queued} may). Try again later."
            )
        self.queued += 1
        try:
            async with asyncio.timeout(self._queue_timeout_s):
                await self._places.acquire()
        except TimeoutError as error:
            raise Overloaded(
                f"The request waited {self._queue_timeout_s:g} s for its turn, the longest this "
                "server lets one wait. Try again later."
            ) from error
        finally:
            self.queued -= 1
