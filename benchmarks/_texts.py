"""What a model answers in its own words, without an interpreter.

A chain of thought with its conclusion, or a program and the value that the model says it returns.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx

import reasoning
from benchmarks._intervals import Interval, wilson
from benchmarks._questions import SEED, Asked
from benchmarks._solving import CONCURRENT, TIMEOUT_S
from training.problems import Language, generate
from training.tasks import PLACEHOLDER, TASKS, same_number

ANSWER = "# answer: "
WORKED = 2
ANSWER_TOKENS = 16
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+|/\d+)?")
_CHINESE = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Told:
    """What was answered to one set.

    Attributes:
        answers: Each question with the answer that was read, if any.
        spent: Output tokens, over all questions.
        wall_s: Seconds for all of them, asked `CONCURRENT` at a time.
    """

    answers: list[tuple[Asked, str | None]]
    spent: int
    wall_s: float

    @property
    def right(self) -> Interval:
        """Share of all questions that are answered right."""
        return wilson(self._right(), len(self.answers))

    @property
    def abstained(self) -> Interval:
        """Share of all questions for which no answer could be read."""
        return wilson(len(self.answers) - self.answered, len(self.answers))

    @property
    def selective(self) -> Interval:
        """Share of the answers that are right."""
        return wilson(self._right(), self.answered)

    @property
    def answered(self) -> int:
        """Questions with an answer."""
        return sum(answer is not None for _, answer in self.answers)

    @property
    def tokens(self) -> float:
        """Output tokens for each question that was answered."""
        return self.spent / max(1, self.answered)

    @property
    def milliseconds(self) -> float:
        """Time for each question that was answered."""
        return 1000 * self.wall_s / max(1, self.answered)

    def _right(self) -> int:
        return sum(
            answer is not None and same_number(answer, asked.answer)
            for asked, answer in self.answers
        )


async def chains(client: httpx.AsyncClient, model: str, questions: Sequence[Asked]) -> Told:
    """Ask an adapter of chains of thought; its conclusion is the answer."""

    async def one(asked: Asked) -> tuple[str | None, int]:
        text, spent = await _chat(client, model, asked.text)
        return reasoning.check(text).answer, spent

    return await _all(questions, one)


async def simulated(client: httpx.AsyncClient, model: str, questions: Sequence[Asked]) -> Told:
    """Let a solver write its program and then say itself what that returns.

    Solvers are not trained to say it, so two worked programs with their answers stand before.
    """

    async def one(asked: Asked) -> tuple[str | None, int]:
        program, spent = await _chat(client, model, asked.text)
        prompt = f"{worked(asked.text)}{_form(asked.text, program)}"
        body = {"model": model, "prompt": prompt, "max_tokens": ANSWER_TOKENS, "temperature": 0.0}
        response = await client.post("/v1/completions", json=body, timeout=TIMEOUT_S)
        response.raise_for_status()
        document = response.json()
        # What follows the first line is the next problem, made up.
        found = _NUMBER.search(document["choices"][0]["text"].partition("\n")[0])
        answer = found[0].replace(",", "") if found else None
        return answer, spent + document["usage"]["completion_tokens"]

    return await _all(questions, one)


def worked(question: str) -> str:
    """Two problems that are trained on, with programs and answers, in the question's language."""
    language: Language = "zh" if _CHINESE.search(question) else "en"
    problems = generate(seed=SEED, count=WORKED, language=language, split="train")
    return "".join(
        f"{_form(problem.question, problem.program)}{problem.answer}\n\n" for problem in problems
    )


def _form(question: str, program: str) -> str:
    asked = TASKS["pseudocode"].prompt.replace(PLACEHOLDER, question)
    return f"{asked}{program.strip()}\n{ANSWER}"


async def _chat(client: httpx.AsyncClient, model: str, question: str) -> tuple[str, int]:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": question}],
        "temperature": 0.0,
        "solve": False,
    }
    response = await client.post("/v1/chat/completions", json=body, timeout=TIMEOUT_S)
    response.raise_for_status()
    document = response.json()
    text = document["choices"][0]["message"]["content"] or ""
    return text, document["usage"]["completion_tokens"]


async def _all(
    questions: Sequence[Asked], one: Callable[[Asked], Awaitable[tuple[str | None, int]]]
) -> Told:
    gate = asyncio.Semaphore(CONCURRENT)

    async def gated(asked: Asked) -> tuple[str | None, int]:
        async with gate:
            return await one(asked)

    started_s = time.perf_counter()
    found = await asyncio.gather(*map(gated, questions))
    answers = [(asked, answer) for asked, (answer, _) in zip(questions, found, strict=True)]
    return Told(answers, sum(spent for _, spent in found), time.perf_counter() - started_s)
