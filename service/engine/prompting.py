"""How an adapter's prompt form completes a chat body; the same for every engine."""

from adapters.manifest import PromptForm
from service.engine.protocol import JSON

LIMITS = {"max_tokens", "max_completion_tokens"}


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
    if not sets_limit(given):
        defaults["max_tokens"] = sampling.max_tokens
    return {**defaults, **given}


def sets_limit(body: JSON) -> bool:
    """Whether the client said how many tokens it wants."""
    return any(body.get(name) is not None for name in LIMITS)
