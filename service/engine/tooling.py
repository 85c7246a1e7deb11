"""Can this base be served with tools? Its chat template must take them, and vLLM know its format."""

import json
from pathlib import Path

import jinja2
import jinja2.meta
import jinja2.sandbox
from vllm.tool_parsers import ToolParserManager

from service.engine.errors import EngineStartFailed

TEMPLATE = "chat_template.jinja"
TOKENIZER_SETTINGS = "tokenizer_config.json"


def parser_for(base_dir: Path, tool_parser: str) -> str | None:
    """The parser, if the base's chat template takes tools; None if it would never show them.

    Raises:
        EngineStartFailed: vLLM has no such parser.
    """
    known = sorted(ToolParserManager.list_registered())
    if tool_parser not in known:
        raise EngineStartFailed(
            f"There is no tool_parser {tool_parser!r}; expected one of: {', '.join(known)}. Name "
            "the one that the base model's card names."
        )
    return tool_parser if takes_tools(base_dir) else None


def takes_tools(base_dir: Path) -> bool:
    """Whether the base's chat template reads the variable `tools`."""
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        extensions=["jinja2.ext.loopcontrols"]
    )
    try:
        used = [
            jinja2.meta.find_undeclared_variables(environment.parse(text))
            for text in _templates(base_dir)
        ]
    except jinja2.TemplateError:
        # vLLM will say what is wrong with it; tools it does not take.
        return False
    return any("tools" in names for names in used)


def _templates(base_dir: Path) -> list[str]:
    own = base_dir / TEMPLATE
    if own.is_file():
        return [own.read_text(encoding="utf-8")]
    settings = base_dir / TOKENIZER_SETTINGS
    found = json.loads(settings.read_text(encoding="utf-8")) if settings.is_file() else {}
    template = found.get("chat_template")
    if isinstance(template, str):
        return [template]
    return [part["template"] for part in template or ()]
