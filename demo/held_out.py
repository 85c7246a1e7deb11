"""Put the held-out questions to one model through the service and execute what it writes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from openai import AsyncOpenAI

import pseudocode
from demo.report import LANGUAGES, Asked, ByTemplate, Count
from demo.service_metrics import Timing
from training.problems import Problem

Ask = Callable[[AsyncOpenAI, Problem], Awaitable[str]]

CONCURRENT = 16
MAX_TOKENS = 64
# The base has never seen the dialect. It gets the same prompt form with two worked examples, so
# that it is beaten on arithmetic and not on a format it was never told.
EXAMPLES = """\
Question: Tom has 5 apples and buys 7 more. How many apples does Tom have?
Answer (in pseudocode):
total = 5 + 7
return total

Question: 小明有9本书,送给同学4本。还剩几本?
Answer (in pseudocode):
剩下 = 9 - 4
return 剩下

"""


def ask_base(url: str, model: str, problems: Sequence[Problem]) -> list[str]:
    """Return the base model's program for every problem, greedy, after two worked examples."""

    async def one(client: AsyncOpenAI, problem: Problem) -> str:
        completion = await client.completions.create(
            model=model,
            prompt=f"{EXAMPLES}Question: {problem.question}\nAnswer (in pseudocode):\n",
            max_tokens=MAX_TOKENS,
            temperature=0.0,
            stop=["\n\n", "Question:"],
        )
        return completion.choices[0].text

    return asyncio.run(_ask_all(url, one, problems))


def ask_adapter(url: str, model: str, problems: Sequence[Problem]) -> list[str]:
    """Return the adapter's program for every problem, greedy, asked as any chat client would."""

    async def one(client: AsyncOpenAI, problem: Problem) -> str:
        completion = await client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": problem.question}],
            max_tokens=MAX_TOKENS,
            temperature=0.0,
        )
        return completion.choices[0].message.content or ""

    return asyncio.run(_ask_all(url, one, problems))


async def _ask_all(url: str, one: "Ask", problems: Sequence[Problem]) -> list[str]:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="not-needed", timeout=300.0) as client:
        gate = asyncio.Semaphore(CONCURRENT)

        async def ask(problem: Problem) -> str:
            async with gate:
                return await one(client, problem)

        return await asyncio.gather(*map(ask, problems))


def judge(problems: Sequence[Problem], programs: Sequence[str], timing: Timing) -> Asked:
    """Run every program and compare its answer with the gold answer.

    Args:
        problems: The questions with their gold answers.
        programs: What a model wrote for each, in the same order.
        timing: What the service measured while it wrote them.
    """
    answers = [pseudocode.run(program).answer for program in programs]
    marked = list(zip(problems, answers, strict=True))
    by_language = {
        language: ByTemplate(
            seen=_count(marked, language, "seen"), unseen=_count(marked, language, "unseen")
        )
        for language in LANGUAGES
    }
    return Asked(
        n=len(problems),
        executed=sum(answer is not None for answer in answers),
        right=sum(problem.answer == answer for problem, answer in marked),
        en=by_language["en"],
        zh=by_language["zh"],
        median_latency_s=timing.median_latency_s,
        tokens_per_s=timing.tokens_per_s,
    )


def _count(marked: Sequence[tuple[Problem, str | None]], language: str, split: str) -> Count:
    those = [
        problem.answer == answer
        for problem, answer in marked
        if problem.language == language and problem.split == split
    ]
    return Count(n=len(those), right=sum(those))
