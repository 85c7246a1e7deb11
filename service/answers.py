"""What is answered: the shapes in `openapi.yaml`, and those that our own routes build.

Chat and text completions come from the engine as they are; their models here describe them.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from service.events import Kind


class _Described(BaseModel):
    """The engine may add fields; these are always there."""

    model_config = ConfigDict(extra="allow")


class Usage(_Described):
    """Token counts."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatChoice(_Described):
    """One answer."""

    index: int
    message: dict[str, JsonValue]
    finish_reason: str | None


class CheckedStep(BaseModel):
    """One step: what it says, what it states, what that comes to."""

    text: str
    stated: str | None
    recomputed: str | None
    ok: bool


class Chain(BaseModel):
    """What a chain comes to."""

    steps: list[CheckedStep]
    answer: str | None = Field(description="the conclusion, as it is written")
    consistent: bool = Field(description="every step is right, and the answer is last and follows")


class CheckedChain(Chain):
    """The verdict on a chain; it is consistent if every step is, and the answer is last and follows."""

    matches_gold: bool | None


class ChatCompletion(_Described):
    """The answer to a chat completion request."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str = Field(description="the exact version that answered, such as `task@3`")
    choices: list[ChatChoice]
    usage: Usage
    chain: Chain | None = Field(
        None, description="of an adapter of the task `cot`: the steps recomputed, the conclusion"
    )


class TextChoice(_Described):
    """One completion."""

    index: int
    text: str
    finish_reason: str | None


class Completion(_Described):
    """The answer to a text completion request."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str = Field(description="the exact version that answered, such as `task@3`")
    choices: list[TextChoice]
    usage: Usage


class ResponseUsage(_Described):
    """Token counts."""

    input_tokens: int
    output_tokens: int
    total_tokens: int


class ResponseObject(_Described):
    """The answer to a request of the Responses API."""

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["completed", "incomplete"]
    model: str = Field(description="the exact version that answered, such as `task@3`")
    output: list[dict[str, JsonValue]]
    usage: ResponseUsage


class Model(BaseModel):
    """Something that `model` may name."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="Unix seconds")
    owned_by: str = "loradock"
    kind: Literal["base", "task", "alias", "version"]
    parent: str | None = Field(None, description="the base model of an adapter")
    serves: str | None = Field(None, description="the exact version that answers")


class ModelList(BaseModel):
    """All models, the base first."""

    object: Literal["list"] = "list"
    data: list[Model]


class AliasMove(BaseModel):
    """An alias that moved."""

    name: str
    alias: str
    version: int
    previous: int | None


class DockedVersion(BaseModel):
    """One version in the engine."""

    version: int
    state: Literal["docking", "docked", "draining", "leaving", "lost"]
    leases: int


class CanaryState(BaseModel):
    """A version that takes a share of an alias's requests."""

    version: int
    percent: float
    started: datetime
    why: str


class AdapterState(BaseModel):
    """One adapter as this server sees it."""

    name: str
    versions: list[int]
    aliases: dict[str, int] = Field(description="what each alias serves now")
    store_aliases: dict[str, int] = Field(description="what each alias should serve")
    pins: list[int] = Field(description="versions that stay docked")
    canaries: dict[str, CanaryState] = Field(description="by alias")
    docked: list[DockedVersion]
    problems: dict[str, str] = Field(description="why something is not served")


class AdapterList(BaseModel):
    """All adapters, and the places in the engine."""

    adapters: list[AdapterState]
    free_places: int
    draining: bool = Field(description="the server was told to stop")
    under_way: int = Field(description="requests that have begun and are not over")
    problems: dict[str, str] = Field(description="what concerns no single adapter")


class EventState(BaseModel):
    """Something that happened to a version, an alias, a key or the engine."""

    number: int = Field(description="rises with every event")
    at: datetime
    kind: Kind
    subject: str
    reason: str
    count: int = Field(description="how many times since it was first noted")


class EventList(BaseModel):
    """The last events, oldest first; ask on with `after` the last number."""

    events: list[EventState]


class Health(BaseModel):
    """A server that is well, and what it would rather not keep to itself."""

    status: Literal["alive", "ready"]
    problems: int = Field(0, description="adapters or versions that are not served; see /admin")
