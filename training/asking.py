"""Questions put to a running service, as any chat client would put them."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from openai import APIError, AsyncOpenAI, omit
from pydantic import SecretStr

from training.errors import EvaluationFailed


class Answers(NamedTuple):
    """What a model wrote, and the name under which it answered."""

    programs: list[str]
    served_by: str


class Service(NamedTuple):
    """A running service and how to talk to it."""

    url: str
    api_key: SecretStr
    timeout_s: float
    concurrency: int


def api_url(url: str) -> str:
    """The address of a service's API, whether its own address was given or that of the API."""
    return url.rstrip("/").removesuffix("/v1") + "/v1"


def connect(service: Service) -> AsyncOpenAI:
    """Make a client of a service; nothing is sent yet."""
    return AsyncOpenAI(
        base_url=api_url(service.url),
        api_key=service.api_key.get_secret_value(),
        timeout=service.timeout_s,
    )


async def ask(
    service: Service, model: str, questions: Sequence[str], max_tokens: int | None
) -> Answers:
    """Ask every question, greedily, as any chat client would.

    Args:
        service: Whom to ask.
        model: The name to ask for.
        questions: One user message each.
        max_tokens: Limit of an answer; the version's own if not given.

    Raises:
        EvaluationFailed: The service cannot be reached or refuses.
    """
    gate = asyncio.Semaphore(service.concurrency)
    served_by: set[str] = set()

    async with connect(service) as client:

        async def one(question: str) -> str:
            async with gate:
                reply = await client.chat.completions.create(
                    model=model,
                    messages=[{"role": "user", "content": question}],
                    temperature=0.0,
                    max_tokens=omit if max_tokens is None else max_tokens,
                )
            served_by.add(reply.model)
            return reply.choices[0].message.content or ""

        try:
            programs = list(await asyncio.gather(*map(one, questions)))
        except APIError as error:
            raise EvaluationFailed(
                f"{service.url} did not answer for {model!r}: {error}. Expected a running "
                "service with that model. Start it, or ask GET /v1/models for the names."
            ) from error
    if len(served_by) != 1:
        raise EvaluationFailed(
            f"{model!r} was answered by {', '.join(sorted(served_by))}; expected one "
            "version throughout. Name the version, or evaluate again after the change."
        )
    return Answers(programs, served_by.pop())
