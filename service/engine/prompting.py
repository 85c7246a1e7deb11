"""How an adapter's prompt form completes a chat body; the same for every engine."""

import jinja2
from pydantic import JsonValue

from adapters import template
from adapters.manifest import PromptForm
from service.engine.errors import RequestRefused
from service.engine.protocol import JSON

NO_TOOLS = (
    "tools: the chat template of {base} does not take any, so the model would never see them. "
    "Expected a request without tools. Describe them in a message, or serve another base model."
)
LIMITS = ("max_tokens", "max_completion_tokens")


def with_defaults(body: JSON, prompt: PromptForm | None) -> JSON:
    """The body with the adapter's stop strings and sampling where it sets none itself.

    A field that is null counts as not set, as everywhere in the OpenAI API.
    """
    given: JSON = {key: value for key, value in body.items() if value is not None}
    if prompt is None:
        return given
    sampling = prompt.sampling
    defaults: JSON = {"temperature": sampling.temperature, "top_p": sampling.top_p}
    if prompt.stop:
        defaults["stop"] = list(prompt.stop)
    if not any(name in given for name in LIMITS):
        defaults["max_tokens"] = sampling.max_tokens
    return {**defaults, **given}


def rendered(source: str, messages: JsonValue) -> str:
    """The prompt text of an adapter that has a template of its own.

    Args:
        source: The template.
        messages: The body's messages, oldest first; content is text, or a list of text parts.

    Raises:
        RequestRefused: They are not chat messages of text, or the template refuses them.
    """
    try:
        return template.render(source, flat(messages))
    except jinja2.TemplateError as error:
        raise RequestRefused(
            400, f"The adapter's chat template refuses these messages: {error}.", "messages"
        ) from error


def flat(messages: JsonValue) -> list[dict[str, str]]:
    """Chat messages as pairs of `role` and `content`, both text.

    Raises:
        RequestRefused: They are not chat messages of text.
    """
    if not isinstance(messages, list) or not messages:
        raise RequestRefused(400, "messages: expected a list of at least one message.", "messages")
    return [_flat(message, number) for number, message in enumerate(messages)]


def _flat(message: JsonValue, number: int) -> dict[str, str]:
    role = message.get("role") if isinstance(message, dict) else None
    content = message.get("content") if isinstance(message, dict) else None
    text = _text(content)
    if not isinstance(role, str) or text is None:
        raise RequestRefused(
            400,
            f"messages[{number}]: expected an object with a `role` and text as its `content`.",
            f"messages[{number}]",
        )
    return {"role": role, "content": text}


def _text(content: JsonValue) -> str | None:
    """Text as it is, text parts joined by line breaks as vLLM does it, anything else None."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    texts = [text for text in texts if isinstance(text, str)]
    return "\n".join(map(str, texts)) if texts and len(texts) == len(content) else None
