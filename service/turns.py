"""Which versions may have requests in the engine at the same time: few, and each in its turn.

vLLM computes so many adapters in one step and skips the requests of all others, however long they
have waited: behind two that are always busy, a third never runs. So no more versions than that
are let in. The others wait in line; the one that has had its turn longest takes no new requests,
and when its last one ends its place goes to the head of the line, with all that wait for it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from service.berths import Key
from service.errors import NoRoom

# What a version may take in anew while others wait. Longer turns mean fewer changes, and waits.
TURN_S = 1.0


@dataclass
class _Turn:
    """A version that is let in.

    Attributes:
        closed_s: Since when it takes no new requests, if it does not.
    """

    began_s: float
    users: int = 0
    closed_s: float | None = None


@dataclass
class _Place:
    """A version's place in the line, with the requests that wait for it."""

    waiting: list["asyncio.Future[None]"] = field(default_factory=list)


class Turns:
    """The turns of one engine.

    Args:
        slots: Versions that the engine computes in one step.
        berths: Versions that it holds.
        timeout_s: Longest wait in the line.

    Attributes:
        kept: Versions that take a berth whether or not anybody asks for them.
    """

    def __init__(self, *, slots: int, berths: int, timeout_s: float) -> None:
        self._slots = slots
        self._berths = berths
        self._timeout_s = timeout_s
        self._turns: dict[Key, _Turn] = {}
        self._line: dict[Key, _Place] = {}
        self.kept: frozenset[Key] = frozenset()

    @asynccontextmanager
    async def turn(self, key: Key) -> AsyncIterator[None]:
        """Be one request for a version that is let in; without an await if it is already.

        Raises:
            NoRoom: Its turn did not come in time.
        """
        if not self._enter(key):
            await self._wait(key)
        try:
            yield
        finally:
            self._leave(key)

    def _enter(self, key: Key) -> bool:
        turn = self._turns.get(key)
        if turn is None and not self._line and self._fits(key):
            turn = self._turns[key] = _Turn(time.monotonic())
        if turn is None or key in self._line:
            return False
        self._close_one()
        if turn.closed_s is not None and self._line:
            return False
        turn.closed_s = None
        turn.users += 1
        return True

    async def _wait(self, key: Key) -> None:
        place = self._line.setdefault(key, _Place())
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place.waiting.append(called)
        self._close_one()
        try:
            async with asyncio.timeout(self._timeout_s):
                await called
        except BaseException as error:
            self._give_up(key, called)
            if not isinstance(error, TimeoutError):
                raise
            raise NoRoom(
                f"{key} is not served now: all {min(self._slots, self._berths)} places in the "
                f"engine were in use by others for {self._timeout_s:g} s. Try again later, or "
                "raise max_slots and max_docked_versions."
            ) from error

    def _give_up(self, key: Key, called: "asyncio.Future[None]") -> None:
        if called.done() and not called.cancelled():
            # It was let in at the moment it left.
            self._leave(key)
            return
        place = self._line.get(key)
        if place is not None and called in place.waiting:
            place.waiting.remove(called)
            if not place.waiting:
                del self._line[key]
        self._call()

    def _leave(self, key: Key) -> None:
        turn = self._turns[key]
        turn.users -= 1
        if turn.users == 0:
            del self._turns[key]
        if self._line:
            self._call()

    def _call(self) -> None:
        """Let in who stands in front, as far as there is room."""
        for key in list(self._line):
            # Those who were cancelled are about to give up their place themselves.
            waiting = [called for called in self._line[key].waiting if not called.done()]
            turn = self._turns.get(key)
            if not waiting or (turn is not None and self._wanted()):
                continue
            if turn is None:
                if not self._fits(key):
                    return
                turn = self._turns[key] = _Turn(time.monotonic())
            turn.closed_s = None
            turn.users += len(waiting)
            del self._line[key]
            for called in waiting:
                called.set_result(None)

    def _fits(self, key: Key) -> bool:
        held = self._turns.keys() | self.kept | {key}
        return len(self._turns) < self._slots and len(held) <= self._berths

    def _wanted(self) -> int:
        """How many versions in the line need somebody else's place."""
        return len(self._line.keys() - self._turns.keys())

    def _close_one(self) -> None:
        """Close the oldest turn if somebody waits who is not already being made room for."""
        if not self._line:
            return
        now_s = time.monotonic()
        making_room = [
            turn
            for turn in self._turns.values()
            if turn.closed_s is not None and now_s - turn.closed_s < TURN_S
        ]
        if len(making_room) >= self._wanted():
            return
        # A kept version has its berth in any case; its going helps only where slots are short.
        short_of_slots = len(self._turns) >= self._slots
        open_turns = [
            turn
            for key, turn in self._turns.items()
            if turn.closed_s is None and (short_of_slots or key not in self.kept)
        ]
        oldest = min(open_turns, key=lambda turn: turn.began_s, default=None)
        if oldest is not None and now_s - oldest.began_s >= TURN_S:
            oldest.closed_s = now_s
