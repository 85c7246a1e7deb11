"""Questions put to a model, some at a time, and what came of them: how many right, at what cost."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from benchmarks._intervals import Interval, wilson
from benchmarks._questions import Asked
from training.tasks import same_number

CONCURRENT = 16
TIMEOUT_S = 600.0
Reply = TypeVar("Reply")


class Told(NamedTuple):
    """A question, the answer to it if there was one, and the output tokens that were spent on it."""

    asked: Asked
    answer: str | None
    tokens: int

    @property
    def right(self) -> bool:
        """Whether the answer is the number that it should be."""
        return self.answer is not None and same_number(self.answer, self.asked.answer)


@dataclass(frozen=True)
class Tally:
    """What was answered to one set.

    Attributes:
        told: Each question with its answer, in order.
        wall_s: Seconds for all of them, asked `CONCURRENT` at a time.
    """

    told: Sequence[Told]
    wall_s: float

    @property
    def answered(self) -> int:
        """Questions with an answer."""
        return sum(one.answer is not None for one in self.told)

    @property
    def right(self) -> Interval:
        """Share of all questions that are answered right."""
        return wilson(self._right(), len(self.told))

    @property
    def abstained(self) -> Interval:
        """Share of all questions without an answer."""
        return wilson(len(self.told) - self.answered, len(self.told))

    @property
    def selective(self) -> Interval:
        """Share of the answers that are right."""
        return wilson(self._right(), self.answered)

    @property
    def tokens(self) -> float:
        """Output tokens spent on all questions, for each that was answered."""
        return sum(one.tokens for one in self.told) / max(1, self.answered)

    @property
    def milliseconds(self) -> float:
        """Time spent on all questions, for each that was answered."""
        return 1000 * self.wall_s / max(1, self.answered)

    def _right(self) -> int:
        return sum(one.right for one in self.told)


async def ask_all(
    questions: Sequence[Asked], ask: Callable[[Asked], Awaitable[Reply]]
) -> tuple[list[Reply], float]:
    """Ask every question, `CONCURRENT` at a time; return the replies in order, and the seconds."""
    gate = asyncio.Semaphore(CONCURRENT)

    async def one(asked: Asked) -> Reply:
        async with gate:
            return await ask(asked)

    started_s = time.perf_counter()
    replies = await asyncio.gather(*map(one, questions))
    return replies, time.perf_counter() - started_s
