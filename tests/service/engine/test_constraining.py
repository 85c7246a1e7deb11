"""A constraint that does not compile, or not soon, is refused before vLLM sees it."""

import time

import pytest

from service.engine import constraining
from service.engine.constraining import require_compilable
from service.engine.errors import RequestRefused
from service.engine.protocol import JSON

SCHEMA: JSON = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def formatted(schema: JSON) -> JSON:
    named: JSON = {"name": "a", "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"response_format": {"type": "json_object"}},
        formatted(SCHEMA),
        {"structured_outputs": {"json": SCHEMA}},
        {"structured_outputs": {"regex": "[a-z]{1,40}(x+x+)+y"}},
        {"structured_outputs": {"choice": ["yes", 'n"o']}},
        {"structured_outputs": {"grammar": 'start: "a" | "甲" start'}},
    ],
)
async def test_what_compiles_is_let_through(body: JSON) -> None:
    await require_compilable(body)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (formatted({"type": "nonsense"}), "response_format"),
        (formatted({"oneOf": [{"minimum": 1}, {"maximum": 2}]}), "response_format"),
        ({"structured_outputs": {"regex": "(a"}}, "structured_outputs"),
        ({"structured_outputs": {"grammar": "start: undefined"}}, "structured_outputs"),
    ],
)
async def test_what_does_not_compile_is_refused_with_its_field(body: JSON, param: str) -> None:
    with pytest.raises(RequestRefused, match="does not compile") as refusal:
        await require_compilable(body)
    assert (refusal.value.status, refusal.value.param) == (400, param)


def slow(kind: str, text: str) -> str:
    time.sleep(1.0)
    return ""


async def test_what_takes_too_long_is_refused_while_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(constraining, "COMPILE_TIMEOUT_S", 0.05)
    monkeypatch.setattr(constraining, "_problem", slow)
    began_s = time.monotonic()
    with pytest.raises(RequestRefused, match=r"longer than 0\.05 s to compile"):
        await require_compilable(formatted(SCHEMA))
    assert time.monotonic() - began_s < 0.9
