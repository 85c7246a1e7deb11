"""How a client may shape what is answered: formats, constraints, tools, each within its bounds."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, JsonValue, field_validator, model_validator

from service.constraints import bounded, bounded_pattern
from service.strict import Strict, given


class JsonSchema(Strict):
    """A named schema that the answer must follow."""

    name: str = Field(min_length=1, max_length=64)
    description: str | None = None
    schema_: dict[str, JsonValue] = Field(alias="schema")
    strict: bool | None = None

    @field_validator("schema_")
    @classmethod
    def _bounded(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return bounded(value)


class ResponseFormat(Strict):
    """Free text, any JSON object, or JSON by a schema."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"type": {"const": "json_schema"}}},
            "then": given("json_schema"),
            "else": {"properties": {"json_schema": {"type": "null"}}},
        }
    )

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @model_validator(mode="after")
    def _schema_if_named(self) -> Self:
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise ValueError("json_schema has to be there for the type json_schema, and no other")
        return self


class StructuredOutputs(Strict):
    """A constraint on the answer: exactly one of a JSON schema, a regex, choices or a grammar."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [given(name) for name in ("json", "regex", "choice", "grammar")]
        }
    )

    json_: dict[str, JsonValue] | None = Field(None, alias="json")
    regex: str | None = Field(None, min_length=1, max_length=4096)
    choice: list[str] | None = Field(None, min_length=1, max_length=256)
    grammar: str | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _one_and_bounded(self) -> Self:
        forms = [self.json_, self.regex, self.choice, self.grammar]
        if sum(value is not None for value in forms) != 1:
            raise ValueError("expected exactly one of json, regex, choice and grammar")
        for value in (self.json_, self.choice, self.grammar):
            bounded(value)
        if self.regex is not None:
            bounded_pattern(self.regex)
        return self


class Function(Strict):
    """A function the model may call."""

    name: str = Field(min_length=1, max_length=64)
    description: str | None = None
    parameters: dict[str, JsonValue] | None = None
    strict: bool | None = None

    @field_validator("parameters")
    @classmethod
    def _bounded(cls, value: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
        return bounded(value)


class Tool(Strict):
    """A tool; functions are the only kind."""

    type: Literal["function"]
    function: Function


class NamedFunction(Strict):
    """The name of one function."""

    name: str


class NamedTool(Strict):
    """The one tool the model must call."""

    type: Literal["function"]
    function: NamedFunction
