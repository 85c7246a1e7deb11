"""The OpenAI side of the fake engine: bodies in, chunks and answers out, shaped like vLLM's.

Tokens are words with the blanks before them, so that joining them gives the text back.
"""

import hashlib
import math
import re
import time
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from service.engine.errors import RequestRefused
from service.engine.prompting import NO_TOOLS, flat, rendered, with_defaults
from service.engine.protocol import JSON, DockedAdapter

CONTEXT_TOKENS = 4096


class Options(BaseModel):
    """The fields of a body that the fake obeys; it lets the others pass."""

    model_config = ConfigDict(extra="ignore")

    n: int = Field(1, ge=1, le=64)
    stream: bool = False
    temperature: float = Field(1.0, ge=0.0)
    max_tokens: int | None = Field(None, ge=0)
    max_completion_tokens: int | None = Field(None, ge=1)
    stop: str | list[str] = []
    logprobs: bool | int | None = None
    echo: bool = False
    stream_options: dict[str, bool] = {}


class _Chat(Options):
    max_tokens: int | None = Field(None, ge=1)
    messages: list[JsonValue]


class _Completion(Options):
    max_tokens: int | None = Field(None, ge=0)
    prompt: str | list[JsonValue] = Field(min_length=1)


def read_chat(body: JSON, adapter: DockedAdapter | None) -> tuple[str, Options]:
    """The prompt text and the options of a chat body, the adapter's defaults filled in.

    Raises:
        RequestRefused: A field is wrong.
    """
    prompt = adapter.prompt if adapter else None
    chat = _validated(_Chat, with_defaults(body, prompt))
    if body.get("tools"):
        raise RequestRefused(400, NO_TOOLS.format(base="the fake engine"), "tools")
    if prompt is not None and prompt.template is not None:
        return _fitting(rendered(prompt.template, chat.messages)), chat
    lines = [f"{m['role']}: {m['content']}\n" for m in flat(_with_content(chat.messages))]
    return _fitting("".join(lines) + "assistant: "), chat


def _with_content(messages: list[JsonValue]) -> list[JsonValue]:
    """A turn of calls has no content; its text is nothing."""
    return [{"content": "", **m} if isinstance(m, dict) else m for m in messages]


def read_completion(body: JSON) -> tuple[str, Options]:
    """The prompt text and the options of a completion body; a list is one text to the fake.

    Raises:
        RequestRefused: A field is wrong.
    """
    completion = _validated(_Completion, with_defaults(body, None))
    prompt = completion.prompt
    return _fitting(prompt if isinstance(prompt, str) else " ".join(map(str, prompt))), completion


def _fitting(prompt: str) -> str:
    count = len(tokens(prompt))
    if count > CONTEXT_TOKENS:
        raise RequestRefused(
            400,
            f"The prompt has {count} tokens, expected {CONTEXT_TOKENS} at most. Shorten it.",
            code="context_length_exceeded",
        )
    return prompt


M = TypeVar("M", bound=Options)


def _validated(model: type[M], body: JSON) -> M:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        param = str(first["loc"][0])
        raise RequestRefused(400, f"{param}: {first['msg']}", param) from error


def tokens(text: str) -> list[str]:
    """Cut a text into words, each with the blanks before it; a blank tail is one more."""
    return re.findall(r"\s*\S+|\s+$", text)


def cut(text: str, options: Options) -> tuple[list[str], str]:
    """The tokens a client gets of a full answer, one unless it wants none, and the finish reason."""
    stops = [options.stop] if isinstance(options.stop, str) else options.stop
    ends = [text.index(stop) for stop in stops if stop in text]
    given = tokens(text[: min(ends)] if ends else text) or [""]
    limits = [options.max_completion_tokens, options.max_tokens, CONTEXT_TOKENS]
    # One token even if none is asked for, as vLLM counts it.
    limit = max(1, next(limit for limit in limits if limit is not None))
    return given[:limit], "length" if len(given) > limit else "stop"


def logprob(name: str, prompt: str, position: int) -> float:
    """A log-probability that differs between names and is the same in every run."""
    digest = hashlib.sha256(f"{name}\0{prompt}\0{position}".encode()).digest()
    return -(1 + int.from_bytes(digest[:4])) / 2**31


@dataclass(frozen=True)
class Shape:
    """Builds the chunks, or the whole, of one response.

    Attributes:
        model: What the response says it comes from.
        logprobs: One for each token, or None if the client did not ask.
        echoed: How many of the tokens are the prompt's.
        counts: Whether each piece tells the tokens up to it.
    """

    kind: Literal["chat", "text"]
    request_id: str
    model: str
    prompt: str
    logprobs: list[float | None] | None
    echoed: int = 0
    counts: bool = False
    created: int = field(default_factory=lambda: int(time.time()))

    def _frame(self, kind: str, choices: list[JSON]) -> JSON:
        prefix = "chatcmpl" if self.kind == "chat" else "cmpl"
        return {
            "id": f"{prefix}-{self.request_id}",
            "object": kind,
            "created": self.created,
            "model": self.model,
            "choices": list(choices),
        }

    def _chunk(self, choices: list[JSON]) -> JSON:
        return self._frame(
            "chat.completion.chunk" if self.kind == "chat" else "text_completion", choices
        )

    def opening(self, index: int) -> JSON | None:
        """What comes before the first token of a choice."""
        if self.kind == "text":
            return None
        delta: JSON = {"role": "assistant", "content": ""}
        return self._chunk(
            [{"index": index, "delta": delta, "logprobs": None, "finish_reason": None}]
        )

    def piece(self, index: int, position: int, token: str, finish: str | None) -> JSON:
        """One token of a choice."""
        choice: JSON = {
            "index": index,
            "logprobs": self._logprobs([token], position),
            "finish_reason": finish,
        }
        choice |= {"delta": {"content": token}} if self.kind == "chat" else {"text": token}
        counts: JSON = {"usage": self._usage(position + 1)} if self.counts else {}
        return {**self._chunk([choice]), **counts}

    def last(self, given: list[str], n: int) -> JSON:
        """The usage chunk."""
        return {**self._chunk([]), "usage": self._usage(n * (len(given) - self.echoed))}

    def whole(self, given: list[str], finish: str, n: int) -> JSON:
        """The answer to a request that does not stream."""
        text = "".join(given)
        choice: JSON = {"logprobs": self._logprobs(given, 0), "finish_reason": finish}
        if self.kind == "chat":
            choice["message"] = {"role": "assistant", "content": text, "refusal": None}
        else:
            choice["text"] = text
        choices: list[JSON] = [{"index": index, **choice} for index in range(n)]
        kind = "chat.completion" if self.kind == "chat" else "text_completion"
        return {**self._frame(kind, choices), "usage": self._usage(n * (len(given) - self.echoed))}

    def _usage(self, completion_tokens: int) -> JSON:
        prompt_tokens = len(tokens(self.prompt))
        return {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        }

    def _logprobs(self, given: list[str], start: int) -> JSON | None:
        if self.logprobs is None:
            return None
        pairs = list(zip(given, self.logprobs[start:], strict=False))
        if self.kind == "chat":
            return {
                "content": [
                    {"token": token, "logprob": value, "bytes": None, "top_logprobs": []}
                    for token, value in pairs
                ]
            }
        return {
            "text_offset": [0] * len(pairs),
            "token_logprobs": [value for _, value in pairs],
            "tokens": [token for token, _ in pairs],
            "top_logprobs": [None if value is None else {token: value} for token, value in pairs],
        }


def logprobs_of(
    name: str, prompt: str, count: int, *, finite: bool, echoed: int
) -> list[float | None]:
    """The log-probabilities of an answer's tokens; the first of a prompt has none."""
    values: list[float | None] = [logprob(name, prompt, position) for position in range(count)]
    if not finite:
        return [math.nan] * count
    return [None, *values[1:]] if echoed else values
