"""A version must answer its probes with finite numbers, and differently from the base."""

from pathlib import Path

import pytest

from adapters.manifest import PromptForm
from service.engine.errors import RequestRefused
from service.engine.fake import FakeEngine
from service.engine.protocol import JSON, DockedAdapter
from service.errors import DockRefused
from service.probing import Prober
from tests.service.memory_store import make_version


async def probe(engine: FakeEngine, path: Path, probes: list[str]) -> None:
    await engine.start()
    adapter = DockedAdapter("alpha@1", 1, path, PromptForm())
    await engine.dock(adapter)
    await Prober(engine).probe(make_version("alpha", 1, path, probes=probes), adapter)


async def test_a_version_that_answers_in_its_own_way_passes(
    engine: FakeEngine, tmp_path: Path
) -> None:
    await probe(engine, tmp_path, ["one", "two"])
    asked = [(name, prompt) for _, name, prompt in engine.requests]
    assert asked == [
        ("fake-base", "one"),
        ("fake-base", "two"),
        ("alpha@1", "one"),
        ("alpha@1", "two"),
    ]


async def test_one_that_answers_as_the_base_does_is_refused(
    engine: FakeEngine, tmp_path: Path
) -> None:
    engine.faults.without_effect.add("alpha@1")
    with pytest.raises(DockRefused, match="exactly as the base model does"):
        await probe(engine, tmp_path, ["one", "two"])


async def test_one_whose_numbers_are_not_finite_is_refused(
    engine: FakeEngine, tmp_path: Path
) -> None:
    engine.faults.not_finite.add("alpha@1")
    with pytest.raises(DockRefused, match="finite"):
        await probe(engine, tmp_path, ["one"])


@pytest.mark.parametrize("logprob", [-9999.0, None, float("inf")])
async def test_one_that_is_certain_of_nothing_is_refused(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logprob: float | None
) -> None:
    async def answer(body: JSON, adapter: DockedAdapter | None, request_id: str) -> JSON:
        given = logprob if adapter else -1.0
        return {"choices": [{"logprobs": {"tokens": ["a"], "token_logprobs": [given]}}]}

    monkeypatch.setattr(engine, "complete", answer)
    with pytest.raises(DockRefused, match="expected finite numbers"):
        await probe(engine, tmp_path, ["one"])


async def test_without_probes_nothing_is_asked(engine: FakeEngine, tmp_path: Path) -> None:
    await probe(engine, tmp_path, [])
    assert engine.requests == []


async def test_a_probe_that_the_engine_refuses_refuses_the_version(
    tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(body: JSON, adapter: DockedAdapter | None, request_id: str) -> JSON:
        raise RequestRefused(400, "the prompt is too long")

    monkeypatch.setattr(engine, "complete", refuse)
    with pytest.raises(DockRefused, match="was refused: the prompt is too long"):
        await probe(engine, tmp_path, ["one"])
