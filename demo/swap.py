"""Promote a version while clients stream, and look at every answer.

Eight clients of the `openai` package ask the same held-out questions over and over. Each
answer names the version that gave it. Afterwards each version answers every question alone,
so that an answer of one version under the name of another would be found.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import openai
from openai import AsyncOpenAI

CLIENTS = 8
SECONDS_BEFORE = 4.0
SECONDS_AFTER = 4.0
# A hard end for the load, should a promote hang.
MAX_REQUESTS_PER_CLIENT = 200
MAX_TOKENS = 64


@dataclass(frozen=True)
class Answer:
    """One streamed answer: what was asked, who answered by its own word, and what."""

    question: str
    models: frozenset[str]
    text: str
    longest_gap_s: float


@dataclass
class SwapReport:
    """What happened to the requests around a promote.

    Attributes:
        requests: All that were sent.
        failed: Those that ended in an error or without a finish.
        wrong_version: Answers that name one version and are another's, or name two.
        by_version: Answers per named version.
        longest_gap_s: Longest wait for the next token inside any stream, first token included.
        promote_s: From the promote request to its answer.
        telling: Questions that the two versions answer differently.
    """

    requests: int = 0
    failed: int = 0
    wrong_version: int = 0
    by_version: Counter[str] = field(default_factory=Counter)
    longest_gap_s: float = 0.0
    promote_s: float = 0.0
    telling: int = 0
    errors: list[str] = field(default_factory=list)


async def swap_under_load(
    url: str, name: str, old: int, new: int, questions: list[str]
) -> SwapReport:
    """Stream answers of `name` from eight clients while its `stable` moves from `old` to `new`.

    Args:
        url: Root of the service.
        name: The adapter; `old` is promoted, `new` is published.
        old: Version number before.
        new: Version number after.
        questions: What the clients ask, in turn.
    """
    report = SwapReport()
    answers: list[Answer] = []
    promoted = asyncio.Event()
    async with AsyncOpenAI(
        base_url=f"{url}/v1", api_key="not-needed", max_retries=0, timeout=60.0
    ) as client:
        load = [
            asyncio.create_task(
                _one_client(
                    client, name, questions[index:] + questions[:index], promoted, (report, answers)
                )
            )
            for index in range(CLIENTS)
        ]
        await asyncio.sleep(SECONDS_BEFORE)
        report.promote_s = await _promote(url, name, new)
        await asyncio.sleep(SECONDS_AFTER)
        promoted.set()
        await asyncio.gather(*load)
        alone = {
            f"{name}@{number}": await _answers_alone(client, f"{name}@{number}", questions)
            for number in (old, new)
        }
    report.telling = sum(
        len({texts[question] for texts in alone.values()}) > 1 for question in questions
    )
    _judge(report, answers, alone)
    return report


async def _promote(url: str, name: str, version: int) -> float:
    started = time.monotonic()
    async with httpx.AsyncClient(timeout=60.0) as http:
        response = await http.post(
            f"{url}/admin/adapters/{name}/promote", json={"version": version, "alias": "stable"}
        )
        response.raise_for_status()
    return time.monotonic() - started


async def _one_client(
    client: AsyncOpenAI,
    model: str,
    questions: Sequence[str],
    done: asyncio.Event,
    collected: tuple[SwapReport, list[Answer]],
) -> None:
    report, answers = collected
    for turn in range(MAX_REQUESTS_PER_CLIENT):
        if done.is_set():
            return
        report.requests += 1
        try:
            answers.append(await _ask(client, model, questions[turn % len(questions)]))
        except (openai.OpenAIError, httpx.HTTPError, EOFError) as error:
            report.failed += 1
            report.errors.append(f"{type(error).__name__}: {error}")


async def _ask(client: AsyncOpenAI, model: str, question: str) -> Answer:
    """Stream one answer.

    Raises:
        EOFError: The stream ended without saying why generation finished.
    """
    stream = await client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": question}],
        max_tokens=MAX_TOKENS,
        temperature=0.0,
        stream=True,
    )
    models: set[str] = set()
    text, longest_gap_s, finished = "", 0.0, False
    previous = time.monotonic()
    async for chunk in stream:
        now = time.monotonic()
        longest_gap_s, previous = max(longest_gap_s, now - previous), now
        models.add(chunk.model)
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finished = finished or choice.finish_reason is not None
    if not finished:
        raise EOFError(f"the answer to {question!r} stopped after {text!r}")
    return Answer(question, frozenset(models), text, longest_gap_s)


async def _answers_alone(
    client: AsyncOpenAI, model: str, questions: Sequence[str]
) -> dict[str, str]:
    """Ask one version every question, one after another."""
    return {question: (await _ask(client, model, question)).text for question in questions}


def _judge(report: SwapReport, answers: Sequence[Answer], alone: dict[str, dict[str, str]]) -> None:
    for answer in answers:
        report.longest_gap_s = max(report.longest_gap_s, answer.longest_gap_s)
        if len(answer.models) != 1 or not answer.models <= alone.keys():
            report.wrong_version += 1
            continue
        (named,) = answer.models
        report.by_version[named] += 1
        others = {texts[answer.question] for version, texts in alone.items() if version != named}
        if answer.text != alone[named][answer.question] and answer.text in others:
            report.wrong_version += 1
