"""What those with the admin key may send; as strict as what clients may."""

from typing import Annotated

from pydantic import Field

from service.strict import MAX_VERSION, Body

Alias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9._-]{0,63}$")]
Why = Annotated[str, Field(max_length=500)]


class VersionRequest(Body):
    """Which version is meant."""

    version: int = Field(ge=1, le=MAX_VERSION)


class PromoteRequest(Body):
    """Which version an alias shall serve."""

    version: int = Field(ge=1, le=MAX_VERSION)
    alias: Alias = "stable"
    why: Why = "promoted over HTTP"


class RollbackRequest(Body):
    """Which alias shall go back to what it served before."""

    alias: Alias = "stable"
    why: Why = "rolled back over HTTP"


class CanaryRequest(Body):
    """Which version shall take a share of an alias's requests."""

    version: int = Field(ge=1, le=MAX_VERSION)
    percent: float = Field(gt=0, lt=100)
    alias: Alias = "stable"
    why: Why = "started over HTTP"
