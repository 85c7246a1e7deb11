"""What all bodies of requests have in common: nothing unknown, nothing guessed, nothing infinite."""

from pydantic import BaseModel, ConfigDict, JsonValue, model_validator

from service.engine.protocol import JSON

# The last integer of which JSON's floats know every one below.
MAX_INTEGER = 2**53
MAX_VERSION = 10**9 - 1


class Strict(BaseModel):
    """No field that is not known, no number that is not finite."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)


class Body(Strict):
    """What a request's body may be as a whole."""

    @model_validator(mode="before")
    @classmethod
    def _with_whole_numbers(cls, value: JsonValue) -> JsonValue:
        return _whole(value)


def given(name: str) -> JSON:
    """The schema of an object in which a field is there and not null."""
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}}}


def _whole(value: JsonValue) -> JsonValue:
    """Write 5.0 as 5: to JSON they are the same number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return value
