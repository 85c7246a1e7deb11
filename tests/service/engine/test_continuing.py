"""A text goes on beyond the context of either engine."""

from typing import cast

import pytest

from service.continuing import complete
from service.engine.protocol import JSON, Engine
from service.requests import CompletionRequest
from tests.service.engine.conftest import Version

# More than either engine reads at once.
LONG = "Once there was a king. " * 900


@pytest.mark.parametrize("stream", [False, True])
async def test_a_text_that_is_too_long_is_read_in_part_and_goes_on(
    engine: Engine, version: Version, *, stream: bool
) -> None:
    adapter = version("alpha")
    await engine.dock(adapter)
    body: JSON = {
        "model": adapter.name,
        "prompt": LONG,
        "max_tokens": 60,
        "temperature": 0.0,
        "ignore_eos": True,
        "stream": stream,
        "continuation": {"window_characters": 100_000},
    }
    request = CompletionRequest.model_validate(body)
    answer = await complete(engine, request, request.for_engine(), adapter, "long")
    chunks = [answer] if isinstance(answer, dict) else [chunk async for chunk in answer]
    await engine.undock(adapter)
    choices = [choice for chunk in chunks for choice in cast(list[JSON], chunk["choices"])]
    assert "".join(str(choice["text"]) for choice in choices).startswith("\n")
    assert [choice["finish_reason"] for choice in choices if choice["finish_reason"]] == ["length"]
    usage = cast(dict[str, int], chunks[-1]["usage"])
    assert usage["completion_tokens"] == 60
    assert usage["prompt_tokens"] < len(LONG.encode())
    assert {chunk["model"] for chunk in chunks} == {adapter.name}
