"""Tools are served only where the base's template takes them and vLLM knows how it writes them."""

import json
from pathlib import Path

import pytest

from service.engine.errors import EngineStartFailed, RequestRefused
from service.engine.protocol import JSON, Engine

WITH = "{% for tool in tools %}{{ tool }}{% endfor %}{{ messages[0].content }}"
WITHOUT = "{{ messages[0].content }} tools"
TOOL: JSON = {
    "type": "function",
    "function": {
        "name": "pick",
        "parameters": {
            "type": "object",
            "properties": {"colour": {"enum": ["red", "blue"]}},
            "required": ["colour"],
            "additionalProperties": False,
        },
    },
}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "file", "taken"),
    [
        ({"chat_template": WITH}, None, True),
        ({"chat_template": WITHOUT}, None, False),
        ({"chat_template": [{"name": "default", "template": WITHOUT}]}, None, False),
        ({"chat_template": [{"name": "tool_use", "template": WITH}]}, None, True),
        ({"chat_template": WITH}, WITHOUT, False),
        ({}, WITH, True),
        ({}, "{% broken", False),
        ({}, None, False),
        (None, None, False),
    ],
)
def test_a_template_takes_tools_if_it_reads_them(
    base: Path, vllm_imported: None, settings: JSON | None, file: str | None, taken: bool
) -> None:
    from service.engine.tooling import takes_tools

    if settings is not None:
        (base / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    if file is not None:
        (base / "chat_template.jinja").write_text(file, encoding="utf-8")
    assert takes_tools(base) is taken


def test_a_parser_is_used_only_where_the_template_takes_tools(
    base: Path, vllm_imported: None
) -> None:
    from service.engine.tooling import parser_for

    (base / "chat_template.jinja").write_text(WITHOUT, encoding="utf-8")
    assert parser_for(base, "hermes") is None
    (base / "chat_template.jinja").write_text(WITH, encoding="utf-8")
    assert parser_for(base, "hermes") == "hermes"
    with pytest.raises(EngineStartFailed, match=r"no tool_parser 'nobody'; .*hermes"):
        parser_for(base, "nobody")


async def test_without_a_template_for_them_tools_are_refused_and_the_text_says_what_to_do(
    engine: Engine,
) -> None:
    body: JSON = {"messages": [{"role": "user", "content": "Pick."}], "tools": [TOOL]}
    with pytest.raises(RequestRefused, match=r"template of .* does not take any") as refusal:
        await engine.chat(body, None, "request-1")
    assert (refusal.value.status, refusal.value.param) == (400, "tools")
