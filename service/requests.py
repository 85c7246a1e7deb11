"""What a client may send: every field known, typed and bounded; anything else is refused.

Fields that OpenAI's clients send and that mean nothing here are taken and dropped.
"""

from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from service.engine.protocol import JSON
from service.output_forms import NamedTool, ResponseFormat, StructuredOutputs, Tool
from service.solving.options import SolveOptions
from service.strict import MAX_INTEGER, Body, Strict, given

MAX_CHOICES = 8
MAX_PROMPTS = 64
MAX_MESSAGES = 1024
MAX_STOPS = 4
MAX_STOP_CHARACTERS = 256
MAX_LOGIT_BIASES = 300
MAX_TOOLS = 64
MAX_MODEL_CHARACTERS = 200
SEED_BITS = 63
# Taken for the sake of clients that always send them; nothing here reads them.
IGNORED_FIELDS = frozenset(
    {
        "metadata",
        "prompt_cache_key",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
    }
)


def _seed(value: int) -> int:
    """Any integer is one that the engine can take."""
    return value & ((1 << SEED_BITS) - 1)


Stop = Annotated[str, Field(min_length=1, max_length=MAX_STOP_CHARACTERS)]
Text = Annotated[str, Field(min_length=1)]
TokenIds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


class TextPart(Strict):
    """A piece of a message; text is the only kind a text model can take."""

    type: Literal["text"]
    text: str


class FunctionCall(Strict):
    """A call the model made in an earlier turn."""

    name: str
    arguments: str


class ToolCall(BaseModel):
    """A call in the history, as the model's answer had it."""

    model_config = ConfigDict(extra="ignore")

    id: str | None = None
    type: Literal["function"] = "function"
    function: FunctionCall


_WITH_CALLS: JSON = {
    "required": ["tool_calls"],
    "properties": {
        "role": {"const": "assistant"},
        "tool_calls": {"type": "array", "minItems": 1},
    },
}


class Message(BaseModel):
    """One turn. What else an answer carries (annotations, refusals) may be sent back and is dropped."""

    model_config = ConfigDict(
        extra="ignore", json_schema_extra={"anyOf": [given("content"), _WITH_CALLS]}
    )

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None

    @field_validator("content")
    @classmethod
    def _joined(cls, content: str | list[TextPart] | None) -> str | None:
        """Pieces become one text, so that a template written for texts renders it."""
        if isinstance(content, list):
            return "\n".join(part.text for part in content)
        return content

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.content is None and not (self.role == "assistant" and self.tool_calls):
            raise ValueError(f"content is missing from a message of role {self.role!r}")
        return self


class StreamOptions(Strict):
    """What a stream carries beside its tokens."""

    include_usage: bool = False
    continuous_usage_stats: bool = False
    include_obfuscation: bool | None = Field(
        None, exclude=True, description="taken and dropped; streams here are never padded"
    )


_OPTIONS_NEED_STREAM: JSON = {
    "anyOf": [
        {"properties": {"stream_options": {"type": "null"}}},
        {"required": ["stream"], "properties": {"stream": {"const": True}}},
    ]
}
_NOTHING_NEEDS_ECHO: JSON = {
    "anyOf": [
        {"properties": {"max_tokens": {"not": {"const": 0}}}},
        {"required": ["echo"], "properties": {"echo": {"const": True}}},
    ]
}


class _Generation(Body):
    model_config = ConfigDict(json_schema_extra={"allOf": [_OPTIONS_NEED_STREAM]})

    model: str = Field(
        min_length=1,
        max_length=MAX_MODEL_CHARACTERS,
        description="the base model, a task, `task@alias` or `task@3`",
    )
    min_tokens: int | None = Field(None, ge=0, le=MAX_INTEGER)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    top_k: int | None = Field(None, ge=-1, le=MAX_INTEGER)
    min_p: float | None = Field(None, ge=0, le=1)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    repetition_penalty: float | None = Field(None, gt=0, le=10)
    seed: Annotated[int, AfterValidator(_seed)] | None = Field(
        None, description=f"any integer; its lowest {SEED_BITS} bits count"
    )
    n: int | None = Field(None, ge=1, le=MAX_CHOICES)
    stop: Stop | Annotated[list[Stop], Field(max_length=MAX_STOPS)] | None = None
    ignore_eos: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    logit_bias: (
        Annotated[
            dict[
                Annotated[str, Field(pattern=r"^[0-9]{1,9}$")],
                Annotated[float, Field(ge=-100, le=100)],
            ],
            Field(max_length=MAX_LOGIT_BIASES, json_schema_extra={"additionalProperties": False}),
        ]
        | None
    ) = None
    response_format: ResponseFormat | None = None
    structured_outputs: StructuredOutputs | None = None
    metadata: dict[str, str] | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    user: str | None = None

    @model_validator(mode="after")
    def _options_of_streams(self) -> Self:
        if self.stream_options is not None and not self.stream:
            raise ValueError("stream_options is only allowed with stream=true")
        return self

    def wants_usage(self) -> bool:
        """Whether a stream shall end with a usage chunk."""
        return self.stream_options is not None and self.stream_options.include_usage

    def for_engine(self) -> JSON:
        """What the engine is asked: the fields that were set, without those that mean nothing."""
        body: JSON = self.model_dump(
            by_alias=True, exclude_none=True, exclude_unset=True, exclude=set(IGNORED_FIELDS)
        )
        return body


class ChatRequest(_Generation):
    """A chat completion request."""

    messages: list[Message] = Field(min_length=1, max_length=MAX_MESSAGES)
    max_tokens: int | None = Field(None, ge=1, le=MAX_INTEGER)
    max_completion_tokens: int | None = Field(None, ge=1, le=MAX_INTEGER)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    tools: list[Tool] | None = Field(None, max_length=MAX_TOOLS)
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    solve: bool | SolveOptions | None = None


class ContinuationOptions(Strict):
    """How a text goes on beyond the context window."""

    max_characters: int | None = Field(
        None, ge=1, le=1_000_000, description="end after so many, whatever `max_tokens` leaves"
    )
    window_characters: int = Field(
        8000, ge=400, le=1_000_000, description="the longest part of the text that is read again"
    )
    head_characters: int = Field(
        600, ge=0, le=100_000, description="how much of the beginning is always read again"
    )


class CompletionRequest(_Generation):
    """A text completion request; a prompt is text or token ids, one or a list of them."""

    model_config = ConfigDict(
        json_schema_extra={"allOf": [_OPTIONS_NEED_STREAM, _NOTHING_NEEDS_ECHO]}
    )

    prompt: (
        Text
        | TokenIds
        | Annotated[list[Text], Field(min_length=1, max_length=MAX_PROMPTS)]
        | Annotated[list[TokenIds], Field(min_length=1, max_length=MAX_PROMPTS)]
    )
    max_tokens: int | None = Field(None, ge=0, le=MAX_INTEGER)
    logprobs: int | None = Field(None, ge=0, le=20)
    echo: bool | None = None
    continuation: bool | ContinuationOptions | None = Field(
        None,
        description="go on, piece after piece, beyond the context window; `max_tokens` is then "
        "that of the whole",
    )

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.max_tokens == 0 and not self.echo:
            raise ValueError("max_tokens=0 is only allowed with echo=true")
        return self
