"""Puts questions to `/v1/pseudocode/solve` and counts what comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import httpx

from benchmarks._intervals import Interval, wilson
from benchmarks._questions import Asked
from benchmarks._tallies import TIMEOUT_S, Tally, Told, ask_all
from service.solving.solution import Solution
from training.tasks import same_number


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


class Solved(NamedTuple):
    """What came of one set in one mode: every question with its solution, in order, and the counts."""

    solutions: list[tuple[Asked, Solution]]
    tally: Tally

    @property
    def executed(self) -> Interval:
        """Share whose program has a value, whether it counts or not."""
        executed = sum(solution.verdict.executed for _, solution in self.solutions)
        return wilson(executed, len(self.solutions))

    def confidences(self) -> list[tuple[float, bool]]:
        """The confidence of the likeliest answer, given or withheld, and whether it is right."""
        found = []
        for asked, solution in self.solutions:
            withheld = solution.alternatives[0].answer if solution.alternatives else None
            answer = solution.answer or withheld
            if answer is not None:
                score = solution.verdict.verifier_score
                confidence = solution.verdict.agreement if score is None else score
                found.append((confidence or 0.0, same_number(answer, asked.answer)))
        return found


async def solve_all(
    client: httpx.AsyncClient, model: str, questions: Sequence[Asked], mode: Mode
) -> Solved:
    """Solve every question.

    Raises:
        httpx.HTTPStatusError: The service refused one.
    """

    async def one(asked: Asked) -> tuple[Asked, Solution]:
        body = {"question": asked.text, "model": model, **mode.fields}
        response = await client.post("/v1/pseudocode/solve", json=body, timeout=TIMEOUT_S)
        response.raise_for_status()
        return asked, Solution.model_validate_json(response.content)

    solutions, wall_s = await ask_all(questions, one)
    told = [
        Told(asked, solution.answer, solution.usage.completion_tokens)
        for asked, solution in solutions
    ]
    return Solved(solutions, Tally(told, wall_s))
