"""The room before the engine is bounded, in number and in time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from service.admission import Admission
from service.errors import Overloaded


def make(max_in_flight: int = 1, max_queued: int = 1, queue_timeout_s: float = 5.0) -> Admission:
    return Admission(
        max_in_flight=max_in_flight, max_queued=max_queued, queue_timeout_s=queue_timeout_s
    )


@contextlib.asynccontextmanager
async def inside(admission: Admission) -> AsyncIterator[None]:
    with admission.room():
        async with admission.place():
            yield


async def test_a_request_beyond_the_queue_is_turned_away_at_once() -> None:
    admission = make()
    async with inside(admission):
        waiting = asyncio.create_task(_enter(admission))
        await asyncio.sleep(0)
        assert admission.queued == 1
        with pytest.raises(Overloaded, match="1 requests in flight and 1 waiting"):
            await _enter(admission)
    await waiting
    assert (admission.in_flight, admission.queued) == (0, 0)


async def test_a_wait_that_is_too_long_ends() -> None:
    admission = make(queue_timeout_s=0.01)
    async with inside(admission):
        with pytest.raises(Overloaded, match=r"waited 0\.01 s"):
            await _enter(admission)
    await _enter(admission)


async def test_places_are_given_in_the_order_of_arrival() -> None:
    admission, order = make(max_queued=5), []

    async def enter(number: int) -> None:
        async with inside(admission):
            order.append(number)

    async with inside(admission):
        tasks = [asyncio.create_task(enter(number)) for number in range(5)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3, 4]


async def test_one_who_leaves_the_queue_takes_no_place_with_him() -> None:
    admission = make()
    async with inside(admission):
        leaving = asyncio.create_task(_enter(admission))
        await asyncio.sleep(0)
        leaving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await leaving
    await _enter(admission)
    assert (admission.in_flight, admission.queued) == (0, 0)


async def _enter(admission: Admission) -> None:
    async with inside(admission):
        pass
