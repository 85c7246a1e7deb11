"""What the fake can do beyond the contract: fail on demand, and tell what it was asked."""

import asyncio
import math
from pathlib import Path
from typing import cast

import pytest

from adapters.manifest import PromptForm
from service.engine.errors import DockFailed, EngineDead, EngineOverloaded, EngineStartFailed
from service.engine.fake import FakeEngine, Faults, words_for
from service.engine.protocol import JSON, DockedAdapter

TEXT: JSON = {"prompt": "one two three", "logprobs": 1}


def adapter(path: Path, int_id: int = 1, name: str = "alpha@1") -> DockedAdapter:
    return DockedAdapter(name, int_id, path, PromptForm())


async def started(faults: Faults | None = None, **options: int) -> FakeEngine:
    engine = FakeEngine(faults=faults, **options)  # type: ignore[arg-type]
    await engine.start()
    return engine


async def first_choice(engine: FakeEngine, whom: DockedAdapter | None = None) -> JSON:
    answer = await engine.complete(TEXT, whom, "r")
    assert isinstance(answer, dict)
    return cast(list[JSON], answer["choices"])[0]


async def test_the_same_question_gets_the_same_answer_in_every_process() -> None:
    engine = await started()
    assert (await first_choice(engine))["text"] == words_for("fake-base", "one two three")
    assert words_for("a", "b") == "willow oak elm fir maple oak maple birch"


async def test_an_answer_can_be_given_for_each_question() -> None:
    engine = FakeEngine(answer=lambda name, prompt: f"{name} heard {prompt}")
    await engine.start()
    assert (await first_choice(engine))["text"] == "fake-base heard one two three"
    assert engine.requests == [("r", "fake-base", "one two three")]


async def test_a_start_can_fail() -> None:
    with pytest.raises(EngineStartFailed):
        await started(Faults(start_fails=True))


async def test_a_dock_can_fail_and_its_id_is_used_up(tmp_path: Path) -> None:
    engine = await started(Faults(failing_docks={"alpha@1"}))
    with pytest.raises(DockFailed):
        await engine.dock(adapter(tmp_path))
    engine.faults.failing_docks.clear()
    with pytest.raises(AssertionError, match="used before"):
        await engine.dock(adapter(tmp_path))


async def test_an_adapter_without_effect_answers_as_the_base(tmp_path: Path) -> None:
    engine = await started(Faults(without_effect={"alpha@1"}))
    await engine.dock(adapter(tmp_path))
    assert await first_choice(engine, adapter(tmp_path)) == await first_choice(engine)


async def test_weights_that_are_not_finite_show_in_the_log_probabilities(tmp_path: Path) -> None:
    engine = await started(Faults(not_finite={"alpha@1"}))
    await engine.dock(adapter(tmp_path))
    logprobs = cast(JSON, (await first_choice(engine, adapter(tmp_path)))["logprobs"])
    assert all(map(math.isnan, cast(list[float], logprobs["token_logprobs"])))


async def test_an_overload_turns_new_requests_away() -> None:
    engine = await started(Faults(overloaded=True))
    with pytest.raises(EngineOverloaded):
        await engine.complete(TEXT, None, "r")


async def test_it_can_die_in_mid_stream_for_everybody() -> None:
    engine = await started(Faults(dies_after_tokens=3))
    stream = await engine.complete({**TEXT, "stream": True}, None, "r")
    assert not isinstance(stream, dict)
    seen = [await anext(stream) for _ in range(3)]
    with pytest.raises(EngineDead):
        await anext(stream)
    assert len(seen) == 3
    assert not engine.alive()
    await engine.start()
    assert engine.alive()


async def test_death_wakes_a_slow_request() -> None:
    engine = await started(Faults(token_delay_s=60))
    task = asyncio.ensure_future(engine.complete(TEXT, None, "r"))
    while not engine.running:  # noqa: ASYNC110 - the fake sets no event
        await asyncio.sleep(0)
    engine.kill()
    with pytest.raises(EngineDead):
        await asyncio.wait_for(task, 1)


async def test_a_request_of_the_last_life_does_not_join_the_next() -> None:
    engine = await started()
    stream = await engine.complete({**TEXT, "stream": True}, None, "r")
    assert not isinstance(stream, dict)
    await anext(stream)
    engine.kill()
    await engine.start()
    with pytest.raises(EngineDead):
        await anext(stream)


async def test_a_request_that_is_given_up_is_noted() -> None:
    engine = await started()
    stream = await engine.complete({**TEXT, "stream": True}, None, "r")
    assert not isinstance(stream, dict)
    await anext(stream)
    assert engine.running == {"r"}
    await stream.aclose()  # type: ignore[attr-defined]
    assert (engine.running, engine.aborted) == (set(), ["r"])


async def test_undocking_what_is_in_use_is_found_out(tmp_path: Path) -> None:
    engine = await started()
    await engine.dock(adapter(tmp_path))
    stream = await engine.complete({**TEXT, "stream": True}, adapter(tmp_path), "r")
    assert not isinstance(stream, dict)
    await anext(stream)
    with pytest.raises(AssertionError, match="while a request used it"):
        await engine.undock(adapter(tmp_path))
