"""Programs from the engine: one greedy, and others drawn in the same batch."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from typing import NamedTuple, TypeVar

from pydantic import JsonValue

from service.engine.protocol import JSON, DockedAdapter, Engine
from service.solving.attempts import Draft

# Between 0.5 and 0.7 votes gain most in the literature on self-consistency.
TEMPERATURE = 0.7
TOP_P = 0.95

T = TypeVar("T")


class Count(NamedTuple):
    """Tokens, as the engine counts them."""

    prompt: int = 0
    completion: int = 0

    def plus(self, other: "Count") -> "Count":
        """The sum of two counts."""
        return Count(self.prompt + other.prompt, self.completion + other.completion)

    def usage(self) -> JSON:
        """As the OpenAI API says it."""
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
        }


def greedy(body: JSON) -> JSON:
    """The body without chance, unless the client sets a temperature."""
    return {"temperature": 0.0, **body}


async def draw_greedy(
    engine: Engine, body: JSON, adapter: DockedAdapter, request_id: str
) -> tuple[list[Draft], Count]:
    """The program that the model finds likeliest, token by token."""
    return await _draw(engine, greedy(body), adapter, f"{request_id}-0")


async def draw_others(
    engine: Engine, body: JSON, adapter: DockedAdapter, request_id: str, number: int
) -> tuple[list[Draft], Count]:
    """So many programs, drawn; none for 0."""
    if number == 0:
        return [], Count()
    drawn = {**body, "temperature": TEMPERATURE, "top_p": TOP_P, "n": number}
    return await _draw(engine, drawn, adapter, f"{request_id}-1")


async def _draw(
    engine: Engine, body: JSON, adapter: DockedAdapter, request_id: str
) -> tuple[list[Draft], Count]:
    answer = await engine.chat({**body, "stream": False}, adapter, request_id)
    if not isinstance(answer, dict):
        raise TypeError("the engine streams an answer that was asked for as a whole")
    return list(drafts_of(answer)), count_of(answer)


def drafts_of(answer: JSON) -> Iterator[Draft]:
    """The texts of a chat completion."""
    for choice in objects(answer.get("choices")):
        message = choice.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        finish = choice.get("finish_reason")
        yield Draft(
            content if isinstance(content, str) else "", finish if isinstance(finish, str) else None
        )


def count_of(answer: JSON) -> Count:
    """The tokens of an answer or of the last chunk of a stream."""
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return Count()
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return Count(
        prompt if isinstance(prompt, int) else 0, completion if isinstance(completion, int) else 0
    )


def objects(value: JsonValue) -> list[JSON]:
    """The objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


async def together(works: Sequence[Coroutine[object, object, T]]) -> list[T]:
    """Do all at once; if one fails, or this is cancelled, none goes on."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
