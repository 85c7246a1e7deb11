"""Solves one question with a leased adapter; called by `service.exchange` in the engine's place.

All that it asks the engine runs within one place of admission and one lease of the solver.
"""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Sequence

from adapters.manifest import Manifest
from service.answers import Usage
from service.chains import is_reasoner
from service.engine.protocol import JSON, DockedAdapter
from service.errors import NotASolver
from service.parts import Parts
from service.solving.attempts import Attempt, Draft, doubt_of_question, examine
from service.solving.options import SolveOptions, SolveRequest
from service.solving.questions import Question
from service.solving.sampling import Count, draw_greedy, draw_others, together
from service.solving.solution import Abstention, Solution, Solved, Verdict
from service.solving.steps import StepReader
from service.solving.streams import TextStream
from service.solving.verifier import scores_of, verifier
from service.solving.voting import candidates, decide

TASK = "pseudocode"


def is_solver(manifest: Manifest) -> bool:
    """Whether an adapter was trained to write programs: by its training, or else by its prompt."""
    task = manifest.training.get("task")
    if isinstance(task, str):
        return task == TASK
    return TASK in (manifest.prompt.template or "")


class Solver:
    """Solves questions for one request."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.engine = parts.engine

    def knows(self, adapter: DockedAdapter | None) -> bool:
        """Whether an adapter writes programs; the base does not."""
        version = None if adapter is None else self._parts.reconciler.find(adapter.name)
        return version is not None and is_solver(version.manifest)

    def reasons(self, adapter: DockedAdapter | None) -> bool:
        """Whether an adapter writes chains of thought."""
        version = None if adapter is None else self._parts.reconciler.find(adapter.name)
        return version is not None and is_reasoner(version.manifest)

    def require(self, adapter: DockedAdapter | None) -> DockedAdapter:
        """Refuse what was not trained for this.

        Raises:
            NotASolver: It was trained for something else, or not at all.
        """
        if adapter is None or not self.knows(adapter):
            name = self.engine.base_model if adapter is None else adapter.name
            raise NotASolver(
                f"{name!r} was not trained to write programs; expected an adapter of the task "
                f"`{TASK}`. Name one, or ask this one without solving, by /v1/chat/completions."
            )
        return adapter

    async def answer(
        self, request: SolveRequest, body: JSON, adapter: DockedAdapter | None, request_id: str
    ) -> JSON | AsyncIterator[JSON]:
        """Answer `/v1/pseudocode/solve`, whole or as events.

        Raises:
            NotASolver: The adapter was trained for something else.
            VerifierMissing: The verifier was asked for, and there is none.
            RequestRefused: The engine refuses the question.
        """
        trained = self.require(adapter)
        question = Question(request.question, request, body)
        if request.stream:
            return self._events(question, trained, request_id)
        solved, count = await self.solve(question, trained, request_id)
        return _as_solution(solved, count, trained, request_id)

    async def solve(
        self, question: Question, adapter: DockedAdapter, request_id: str
    ) -> tuple[Solved, Count]:
        """Sample, check, run, verify and vote."""
        doubt = doubt_of_question(question.text, question.options.language)
        if doubt is not None:
            return unanswered(doubt), Count()
        body, others = question.constrained(), question.options.samples - 1
        async with self.judge(question.options) as judge:
            (greedy, first), (drawn, second) = await together(
                [
                    draw_greedy(self.engine, body, adapter, request_id),
                    draw_others(self.engine, body, adapter, request_id, others),
                ]
            )
            solved, verified = await self.decide(question, [*greedy, *drawn], judge, request_id)
        return solved, first.plus(second).plus(verified)

    @contextlib.asynccontextmanager
    async def judge(self, options: SolveOptions) -> AsyncIterator[DockedAdapter | None]:
        """Hold the verifier if it was asked for.

        Raises:
            VerifierMissing: The store has none.
        """
        if not options.verify:
            yield None
            return
        async with verifier(self._parts) as judge:
            yield judge

    async def decide(
        self,
        question: Question,
        drafts: Sequence[Draft],
        judge: DockedAdapter | None,
        request_id: str,
    ) -> tuple[Solved, Count]:
        """Check and run drafts, the greedy one first, and vote."""
        attempts = await asyncio.to_thread(_examine_all, drafts, question)
        scores: dict[str, float] = {}
        count = Count()
        if judge is not None:
            scores, count = await scores_of(
                self.engine, judge, question.text, candidates(attempts), request_id
            )
        return decide(attempts, scores, self._parts.solving), count

    async def _events(
        self, question: Question, adapter: DockedAdapter, request_id: str
    ) -> AsyncIterator[JSON]:
        """The steps of the greedy program as they are written, then the whole solution."""
        doubt = doubt_of_question(question.text, question.options.language)
        if doubt is not None:
            yield _as_solution(unanswered(doubt), Count(), adapter, request_id)
            return
        body, number = question.constrained(), question.options.samples - 1
        async with self.judge(question.options) as judge:
            others = asyncio.ensure_future(
                draw_others(self.engine, body, adapter, request_id, number)
            )
            try:
                greedy = TextStream(self.engine, body, adapter, f"{request_id}-0")
                reader = StepReader()
                async with contextlib.aclosing(greedy.chunks()) as chunks:
                    async for _, piece in chunks:
                        for step in reader.read(piece):
                            yield {"object": "pseudocode.step", **dataclasses.asdict(step)}
                drawn, second = await others
                drafts = [greedy.draft, *drawn]
                solved, verified = await self.decide(question, drafts, judge, request_id)
            finally:
                others.cancel()
                await asyncio.gather(others, return_exceptions=True)
        total = greedy.count.plus(second).plus(verified)
        yield _as_solution(solved, total, adapter, request_id)


def unanswered(doubt: Abstention) -> Solved:
    """The result for a question that the model was not even asked."""
    return Solved(
        answer=None,
        program="",
        trace=[],
        verdict=Verdict(parsed=False, executed=False),
        alternatives=[],
        abstained=doubt,
    )


def _examine_all(drafts: Sequence[Draft], question: Question) -> list[Attempt]:
    """Equal texts are equal attempts, and are run once."""
    language = question.options.language
    known = {draft: examine(draft, question.text, language) for draft in dict.fromkeys(drafts)}
    return [known[draft] for draft in drafts]


def _as_solution(solved: Solved, count: Count, adapter: DockedAdapter, request_id: str) -> JSON:
    solution = Solution(
        **solved.model_dump(),
        id=f"solution-{request_id}",
        created=int(time.time()),
        model=adapter.name,
        usage=Usage.model_validate(count.usage()),
    )
    document: JSON = solution.model_dump(mode="json")
    return document
