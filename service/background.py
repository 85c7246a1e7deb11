"""Work that goes on by itself and is waited for at the end, whatever became of it."""

import asyncio
from collections.abc import Awaitable


class Background:
    """Tasks, held until they are done."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Awaitable[None]) -> "asyncio.Task[None]":
        """Begin something; its error is for whoever awaits the task, if anybody does."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        # Asking keeps asyncio quiet about an error that nobody waited for any more.
        if not task.cancelled():
            task.exception()

    async def settle(self) -> None:
        """Wait for all that has begun."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """End all that has begun."""
        for task in self._tasks:
            task.cancel()
        await self.settle()
