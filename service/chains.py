"""The verdict on a chain of thought, as the service gives it: on a text, and beside a chat answer.

Every calculation is recomputed; nothing is asked of a model.
"""

import asyncio
from collections.abc import AsyncIterator

import reasoning
from adapters.manifest import Manifest
from service.answers import CheckedChain, CheckedStep
from service.engine.protocol import JSON
from service.solving.sampling import objects
from service.solving.streams import added
from service.streams import close

TASK = "cot"
MAX_TEXT_CHARACTERS = 20_000


def is_reasoner(manifest: Manifest) -> bool:
    """Whether an adapter was trained to write chains of thought."""
    return manifest.training.get("task") == TASK


def check(text: str, gold: str | None = None) -> CheckedChain:
    """Recompute every calculation of a text, and compare its conclusion."""
    report = reasoning.check(text, gold)
    return CheckedChain(
        steps=[
            CheckedStep(text=step.text, stated=step.stated, recomputed=step.recomputed, ok=step.ok)
            for step in report.steps
        ],
        answer=report.answer,
        matches_gold=report.matches_gold,
        consistent=report.consistent,
    )


async def with_chain(answer: JSON | AsyncIterator[JSON]) -> JSON | AsyncIterator[JSON]:
    """Add the verdict on its text to a chat answer: to a whole one, or to the chunk that ends a stream."""
    if not isinstance(answer, dict):
        return _streamed(answer)
    messages = [choice.get("message") for choice in objects(answer.get("choices"))]
    texts = [message.get("content") for message in messages if isinstance(message, dict)]
    return {**answer, "chain": await _verdict(str(texts[0] or "") if texts else "")}


async def _streamed(chunks: AsyncIterator[JSON]) -> AsyncIterator[JSON]:
    text = ""
    try:
        async for chunk in chunks:
            piece, finish_reason = added(chunk)
            text += piece
            yield chunk if finish_reason is None else {**chunk, "chain": await _verdict(text)}
    finally:
        await close(chunks)


async def _verdict(text: str) -> JSON | None:
    """`None` for a text that is longer than any that is checked."""
    if len(text) > MAX_TEXT_CHARACTERS:
        return None
    checked = await asyncio.to_thread(check, text)
    return checked.model_dump(mode="json", exclude={"matches_gold"})
