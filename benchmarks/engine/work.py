"""What an engine is given to do, and how fast it was: batches of random prompts, timed at the client's end."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple


def random_prompt(chance: random.Random, vocabulary: int, tokens: int) -> list[int]:
    """So many ids, none of the lowest, which tokenizers keep for themselves."""
    return [chance.randrange(vocabulary // 8, vocabulary) for _ in range(tokens)]


class Batch(NamedTuple):
    """Requests that start together.

    Attributes:
        who: For each request its adapter, 1 and up, or 0 for the base.
        prompt_tokens: Of each request; random, so that no cache knows them.
        answer_tokens: Of each request, exactly.
        seed: Of the prompts.
    """

    who: list[int]
    prompt_tokens: int
    answer_tokens: int
    seed: int


class Took(NamedTuple):
    """How long a batch took.

    Attributes:
        first_s: From the start to the last of the first tokens.
        rest_s: From there to the last token.
    """

    first_s: float
    rest_s: float


Speak = Callable[[list[int], int, int, str], AsyncIterator[object]]


async def take(batch: Batch, speak: Speak, vocabulary: int) -> Took:
    """Let an engine do a batch.

    Args:
        batch: What is to be done.
        speak: Streams an answer to (ids, adapter, tokens, request id).
        vocabulary: How many tokens the base knows.
    """
    chance = random.Random(batch.seed)  # noqa: S311 - prompts, not secrets

    async def one(number: int, adapter: int) -> tuple[float, float]:
        ids = random_prompt(chance, vocabulary, batch.prompt_tokens)
        seen_s: list[float] = []
        request_id = f"{batch.seed}-{number}"
        async for _ in speak(ids, adapter, batch.answer_tokens, request_id):
            seen_s.append(time.monotonic())
        return seen_s[0], seen_s[-1]

    started_s = time.monotonic()
    times = await asyncio.gather(*(one(number, who) for number, who in enumerate(batch.who)))
    first_s = max(first for first, _ in times)
    return Took(first_s - started_s, max(last for _, last in times) - first_s)
