"""Programs drawn from a solver behind a running service, several for each question."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from openai import APIError, AsyncOpenAI, omit

import pseudocode
from training.errors import SamplingFailed

# As the service itself draws the programs that a verifier is to judge.
TOP_P = 0.95


class Drawn(NamedTuple):
    """What was written for one question, and by which version."""

    question: str
    programs: list[str]
    served_by: str


class Manner(NamedTuple):
    """How programs are drawn.

    Attributes:
        model: The name to ask for.
        samples: Programs for each question.
        temperature: Of the draw.
        constrained: Whether the dialect's grammar keeps everything written a program.
        max_tokens: Limit of a program; the version's own if not given.
    """

    model: str
    samples: int
    temperature: float
    constrained: bool
    max_tokens: int | None


async def require_model(client: AsyncOpenAI, model: str) -> None:
    """Make sure that a service is there and knows a model.

    Raises:
        SamplingFailed: It is not, does not, or refuses the key.
    """
    try:
        await client.models.retrieve(model)
    except APIError as error:
        raise _failed(client, model, error) from error


async def draw(
    client: AsyncOpenAI,
    manner: Manner,
    questions: Sequence[str],
    keep: Callable[[Drawn], None],
    concurrency: int,
) -> None:
    """Ask every question and hand on what was written for it, in the order in which it comes.

    Raises:
        SamplingFailed: The service cannot be reached any more, or refuses.
    """
    gate = asyncio.Semaphore(concurrency)

    async def one(question: str) -> None:
        async with gate:
            keep(await _draw_one(client, manner, question))

    # The first failure ends the others.
    tasks = [asyncio.ensure_future(one(question)) for question in questions]
    try:
        await asyncio.gather(*tasks)
    except APIError as error:
        raise _failed(client, manner.model, error) from error
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _draw_one(client: AsyncOpenAI, manner: Manner, question: str) -> Drawn:
    grammar = {"structured_outputs": {"grammar": pseudocode.grammar_text(comments=False)}}
    reply = await client.chat.completions.create(
        model=manner.model,
        messages=[{"role": "user", "content": question}],
        n=manner.samples,
        temperature=manner.temperature,
        top_p=TOP_P,
        max_tokens=omit if manner.max_tokens is None else manner.max_tokens,
        # Without `solve` a solver's text would carry its answer as a comment.
        extra_body={"solve": False, **(grammar if manner.constrained else {})},
    )
    whole = [choice for choice in reply.choices if choice.finish_reason == "stop"]
    return Drawn(question, [choice.message.content or "" for choice in whole], reply.model)


def _failed(client: AsyncOpenAI, model: str, error: APIError) -> SamplingFailed:
    return SamplingFailed(
        f"{client.base_url} did not answer for {model!r}: {error}. Expected a running service with "
        "that model. Start it, or ask GET /v1/models for the names; what was drawn is kept, and "
        "the same command goes on from there."
    )
