"""How many requests the engine sees at once; the rest wait in order, bounded in number and time.

Knows nothing of adapters. vLLM batches what it gets; what it must not get is an unbounded heap.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from service.errors import Overloaded


class Admission:
    """A bounded room, in which requests wait for one of the places."""

    def __init__(self, *, max_in_flight: int, max_queued: int, queue_timeout_s: float) -> None:
        self._places = asyncio.Semaphore(max_in_flight)
        self._max_inside = max_in_flight + max_queued
        self._queue_timeout_s = queue_timeout_s
        self._inside = 0
        self.in_flight = 0

    @property
    def queued(self) -> int:
        """Requests that wait, for a place or for what they have to get before they take one."""
        return self._inside - self.in_flight

    @contextmanager
    def room(self) -> Iterator[None]:
        """Be in the room, without waiting.

        Raises:
            Overloaded: It is full.
        """
        if self._inside >= self._max_inside:
            raise Overloaded(
                f"The server is full: {self.in_flight} requests in flight and {self.queued} "
                f"waiting (at most {self._max_inside} together). Try again later."
            )
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold one place, waiting for it if need be; for those in the room.

        Raises:
            Overloaded: The wait took too long.
        """
        try:
            async with asyncio.timeout(self._queue_timeout_s):
                await self._places.acquire()
        except TimeoutError as error:
            raise Overloaded(
                f"The request waited {self._queue_timeout_s:g} s for its turn, the longest this "
                "server lets one wait. Try again later."
            ) from error
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            self._places.release()
