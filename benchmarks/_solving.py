"""Puts questions to `/v1/pseudocode/solve` and counts what comes back."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from benchmarks._intervals import Interval, wilson
from benchmarks._questions import Asked
from service.solving.solution import Solution

CONCURRENT = 16
TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Mode:
    """One way to solve, as the fields of a request."""

    name: str
    fields: dict[str, object]


MODES = (
    Mode("straight", {"grammar": "none"}),
    Mode("+ dialect grammar", {"grammar": "dialect"}),
    Mode("+ grounded", {"grammar": "grounded"}),
    Mode("+ vote of 5", {"grammar": "grounded", "samples": 5}),
    Mode("+ verifier rerank of 8", {"grammar": "grounded", "samples": 8, "verify": True}),
)


@dataclass
class Tally:
    """What came of one set in one mode.

    Attributes:
        solved: The question and its solution, in order.
        wall_s: Seconds for all of them, asked `CONCURRENT` at a time.
    """

    solved: list[tuple[Asked, Solution]] = field(default_factory=list)
    wall_s: float = 0.0

    @property
    def answered(self) -> list[tuple[Asked, Solution]]:
        """Those with an answer."""
        return [(asked, solution) for asked, solution in self.solved if solution.answer is not None]

    @property
    def executed(self) -> Interval:
        """Share whose program has a value, whether it counts or not."""
        return wilson(sum(one.verdict.executed for _, one in self.solved), len(self.solved))

    @property
    def right(self) -> Interval:
        """Share of all questions that are answered right."""
        return wilson(self._right(), len(self.solved))

    @property
    def abstained(self) -> Interval:
        """Share of all questions without an answer."""
        return wilson(len(self.solved) - len(self.answered), len(self.solved))

    @property
    def selective(self) -> Interval:
        """Share of the answers that are right."""
        return wilson(self._right(), len(self.answered))

    @property
    def tokens(self) -> float:
        """Output tokens spent for each question that was answered."""
        spent = sum(solution.usage.completion_tokens for _, solution in self.solved)
        return spent / max(1, len(self.answered))

    @property
    def milliseconds(self) -> float:
        """Time spent for each question that was answered."""
        return 1000 * self.wall_s / max(1, len(self.answered))

    def confidences(self) -> list[tuple[float, bool]]:
        """The confidence of the likeliest answer, given or withheld, and whether it is right."""
        found = []
        for asked, solution in self.solved:
            withheld = solution.alternatives[0].answer if solution.alternatives else None
            answer = solution.answer or withheld
            if answer is not None:
                score = solution.verdict.verifier_score
                confidence = solution.verdict.agreement if score is None else score
                found.append((confidence or 0.0, answer == asked.answer))
        return found

    def _right(self) -> int:
        return sum(solution.answer == asked.answer for asked, solution in self.answered)


async def solve_all(
    client: httpx.AsyncClient, model: str, questions: Sequence[Asked], mode: Mode
) -> Tally:
    """Solve every question.

    Raises:
        httpx.HTTPStatusError: The service refused one.
    """
    gate = asyncio.Semaphore(CONCURRENT)

    async def one(asked: Asked) -> tuple[Asked, Solution]:
        async with gate:
            body = {"question": asked.text, "model": model, **mode.fields}
            response = await client.post("/v1/pseudocode/solve", json=body, timeout=TIMEOUT_S)
        response.raise_for_status()
        return asked, Solution.model_validate_json(response.content)

    started_s = time.perf_counter()
    solved = await asyncio.gather(*map(one, questions))
    return Tally(list(solved), time.perf_counter() - started_s)
