"""A batch is timed from its start to the last first token, and from there to its end."""

import asyncio
from collections.abc import AsyncIterator

from benchmarks.engine.work import Batch, take


async def test_every_request_is_asked_for_and_timed() -> None:
    asked: list[tuple[list[int], int, int, str]] = []

    async def speak(
        ids: list[int], adapter: int, tokens: int, request_id: str
    ) -> AsyncIterator[object]:
        asked.append((ids, adapter, tokens, request_id))
        await asyncio.sleep(0.05 if adapter else 0.01)
        for _ in range(tokens):
            yield None
            await asyncio.sleep(0.01)

    took = await take(Batch([0, 2, 1], 5, 4, seed=7), speak, vocabulary=80)
    assert 0.05 <= took.first_s < 0.25
    assert 0.03 <= took.rest_s < 0.25
    assert sorted(adapter for _, adapter, _, _ in asked) == [0, 1, 2]
    assert {tokens for _, _, tokens, _ in asked} == {4}
    assert len({request_id for *_, request_id in asked}) == 3
    assert len({tuple(ids) for ids, *_ in asked}) == 3
    assert all(10 <= number < 80 for ids, *_ in asked for number in ids)
    assert {len(ids) for ids, *_ in asked} == {5}
