"""What a client may send to `/v1/responses`, and the chat body that it means.

Translated rather than given to vLLM's own handler: that renders every request with one template,
while an adapter brings its own, and the chat route's limits, sampling and stop strings apply here
as they do there. Nothing is stored, so a conversation is sent whole each time.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, WithJsonSchema

from service.engine.protocol import JSON
from service.output_forms import Function, JsonSchema
from service.requests import MAX_MESSAGES, MAX_MODEL_CHARACTERS, MAX_TOOLS
from service.strict import MAX_INTEGER, Body, Strict

LOGPROBS = "message.output_text.logprobs"


class _Item(BaseModel):
    """What an answer's items carry besides may be sent back, and is dropped."""

    model_config = ConfigDict(extra="ignore")


class TextPart(_Item):
    """A piece of a message; text is the only kind a text model can take."""

    type: Literal["input_text", "output_text", "text"]
    text: str


def _joined(content: str | list[TextPart]) -> str:
    return content if isinstance(content, str) else "\n".join(part.text for part in content)


class MessageItem(_Item):
    """One turn."""

    type: Literal["message"] = "message"
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]

    def as_chat(self) -> JSON | None:
        """The message of the chat API."""
        return {"role": self.role, "content": _joined(self.content)}


class CallItem(_Item):
    """A call that the model made."""

    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: str

    def as_chat(self) -> JSON | None:
        """The assistant's message that made the call."""
        function: JSON = {"name": self.name, "arguments": self.arguments}
        call: JSON = {"id": self.call_id, "type": "function", "function": function}
        return {"role": "assistant", "content": "", "tool_calls": [call]}


class CallOutputItem(_Item):
    """What a call gave."""

    type: Literal["function_call_output"]
    call_id: str
    output: str | list[TextPart]

    def as_chat(self) -> JSON | None:
        """The tool's message."""
        content = _joined(self.output)
        return {"role": "tool", "content": content, "tool_call_id": self.call_id}


class ReasoningItem(_Item):
    """Another model's thoughts, which clients send back; no model here takes any."""

    type: Literal["reasoning"]

    def as_chat(self) -> JSON | None:
        """Nothing."""
        return None


class TextFormat(Strict):
    """Free text, or any JSON object."""

    type: Literal["text", "json_object"]


class SchemaFormat(JsonSchema):
    """JSON by a schema."""

    type: Literal["json_schema"]


class TextConfig(Strict):
    """What the text of the answer has to be."""

    format: TextFormat | SchemaFormat | None = None
    verbosity: Literal["low", "medium", "high"] | None = None

    def as_chat(self) -> JSON | None:
        """The chat API's `response_format`."""
        if isinstance(self.format, SchemaFormat):
            schema = self.format.model_dump(by_alias=True, exclude={"type"}, exclude_none=True)
            return {"type": "json_schema", "json_schema": schema}
        return None if self.format is None else {"type": self.format.type}

    def as_format(self) -> JSON:
        """As the response repeats it."""
        if isinstance(self.format, SchemaFormat):
            shown: JSON = self.format.model_dump(by_alias=True)
            return {**shown, "strict": bool(self.format.strict)}
        return {"type": self.format.type if self.format is not None else "text"}


class FunctionTool(Function):
    """A function the model may call."""

    type: Literal["function"]

    def as_chat(self) -> JSON:
        """The chat API's tool."""
        function: JSON = self.model_dump(exclude={"type"}, exclude_none=True)
        return {"type": "function", "function": function}

    def shown(self) -> JSON:
        """As the response repeats it."""
        shown: JSON = self.model_dump()
        return shown


class ToolChoice(Strict):
    """The one function the model must call."""

    type: Literal["function"]
    name: str

    def as_chat(self) -> JSON:
        """The chat API's tool choice."""
        return {"type": "function", "function": {"name": self.name}}


class Reasoning(Strict):
    """How much to think; models here do not."""

    effort: str | None = None
    summary: str | None = None


class StreamOptions(Strict):
    """Streams here are never padded."""

    include_obfuscation: bool | None = None


def _refuse(value: bool) -> bool:
    if value:
        raise ValueError("it is not done here; expected false")
    return value


# Not Literal[False], to which 0 is the same.
Never = Annotated[
    bool, AfterValidator(_refuse), WithJsonSchema({"type": "boolean", "const": False})
]
# Reasoning alone, which is not shown to the model again, is nothing to answer.
_SAYS_SOMETHING: dict[str, JsonValue] = {
    "contains": {"not": {"properties": {"type": {"const": "reasoning"}}, "required": ["type"]}}
}


class ResponsesRequest(Body):
    """A request of the Responses API."""

    model: str = Field(
        min_length=1,
        max_length=MAX_MODEL_CHARACTERS,
        description="the base model, a task, `task@alias` or `task@3`",
    )
    input: (
        Annotated[str, Field(min_length=1)]
        | Annotated[
            list[MessageItem | CallItem | CallOutputItem | ReasoningItem],
            Field(min_length=1, max_length=MAX_MESSAGES, json_schema_extra=_SAYS_SOMETHING),
        ]
    )
    instructions: str | None = None
    max_output_tokens: int | None = Field(None, ge=1, le=MAX_INTEGER)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    top_logprobs: int | None = Field(None, ge=0, le=20)
    include: list[Literal["message.output_text.logprobs", "reasoning.encrypted_content"]] | None = (
        None
    )
    text: TextConfig | None = None
    tools: list[FunctionTool] | None = Field(None, max_length=MAX_TOOLS)
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    reasoning: Reasoning | None = None
    background: Never | None = None
    truncation: Literal["disabled"] | None = None
    metadata: dict[str, str] | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    user: str | None = None

    def wants_usage(self) -> bool:
        """The last event of a stream always carries the usage."""
        return True

    def for_engine(self) -> JSON:
        """The chat body that this request means."""
        wants_logprobs = LOGPROBS in (self.include or ())
        body: JSON = {
            "messages": self._messages(),
            "max_completion_tokens": self.max_output_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "logprobs": wants_logprobs or None,
            "top_logprobs": self.top_logprobs if wants_logprobs else None,
            "response_format": None if self.text is None else self.text.as_chat(),
            "stream": self.stream,
            **self._tools(),
        }
        return {name: value for name, value in body.items() if value is not None}

    def _messages(self) -> list[JsonValue]:
        items = self.input
        if isinstance(items, str):
            messages: list[JsonValue] = [{"role": "user", "content": items}]
        else:
            messages = [found for item in items if (found := item.as_chat()) is not None]
        if self.instructions is not None:
            messages.insert(0, {"role": "system", "content": self.instructions})
        return messages

    def _tools(self) -> JSON:
        if not self.tools:
            return {}
        choice = self.tool_choice
        return {
            "tools": [tool.as_chat() for tool in self.tools],
            "tool_choice": choice.as_chat() if isinstance(choice, ToolChoice) else choice,
            "parallel_tool_calls": self.parallel_tool_calls,
        }

    def choice_shown(self) -> JsonValue:
        """The tool choice as the response repeats it."""
        if isinstance(self.tool_choice, ToolChoice):
            return self.tool_choice.model_dump()
        return self.tool_choice or "auto"
