"""What a lineage file holds: algorithms as nodes, improvements as edges. One file, one lineage.

Only what can be said of one field is checked here; what concerns the graph is in `graph`.
"""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

MIN_PSEUDOCODE_LINES = 3
MAX_PSEUDOCODE_LINES = 20
MAX_LINE_CHARACTERS = 110

Text = Annotated[str, Field(min_length=3, max_length=600)]
Title = Annotated[str, Field(min_length=1, max_length=120)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Year = Annotated[int, Field(strict=True, ge=-500, le=2030)]
Texts = Annotated[list[Text], Field(min_length=1, max_length=6)]
_ID = re.compile(r"(arXiv:(\d{4}\.\d{4,5}|[a-z-]+/\d{7})|doi:10\.\d{4,9}/\S+|isbn:[\d-]+)")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Source(_Strict):
    """The publication that a node comes from, or that describes it best."""

    authors: Text
    title: Text
    year: Year
    id: str | None = Field(default=None, description="arXiv:…, doi:… or isbn:…")

    @field_validator("id")
    @classmethod
    def _known_scheme(cls, value: str | None) -> str | None:
        if value is not None and not _ID.fullmatch(value):
            raise ValueError(
                f"{value!r} is no identifier; expected arXiv:1412.6980, doi:10.… or isbn:…"
            )
        return value

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.authors}: {self.title} ({shown_year(self.year)})"


class ProgramLink(_Strict):
    """Which function of `training.lineage.programs` is the executable form of a node."""

    family: Slug = Field(description="what tests and inputs belong to it")
    entry: str = Field(pattern=r"^[a-z][a-z0-9_]*$")


class Node(_Strict):
    """One algorithm."""

    id: Slug
    title: Title
    year: Year
    source: Source
    pseudocode: str
    ideas: Texts
    use: Text
    strengths: Texts
    bottlenecks: Texts
    program: ProgramLink | None = None

    @field_validator("pseudocode")
    @classmethod
    def _readable(cls, value: str) -> str:
        lines = value.strip("\n").split("\n")
        if not MIN_PSEUDOCODE_LINES <= len(lines) <= MAX_PSEUDOCODE_LINES:
            raise ValueError(
                f"{len(lines)} line(s); expected {MIN_PSEUDOCODE_LINES} to {MAX_PSEUDOCODE_LINES}"
            )
        if long := [line for line in lines if len(line) > MAX_LINE_CHARACTERS]:
            raise ValueError(
                f"a line of {len(long[0])} characters, expected {MAX_LINE_CHARACTERS} at most: "
                f"{long[0][:40]!r}…"
            )
        return "\n".join(line.rstrip() for line in lines)


class Edge(_Strict):
    """One improvement: what was weak, why it mattered, what changed, and who says so."""

    parent: Slug = Field(alias="from")
    child: Slug = Field(alias="to")
    weakness: Text
    motivation: Text
    change: Text
    citation: Text
    measured_on: str | None = Field(
        default=None, description="inputs of the family on which fewer operations are claimed"
    )


class Lineage(_Strict):
    """A graph of algorithms for one purpose."""

    id: Slug
    title: Title
    purpose: Text
    nodes: Annotated[list[Node], Field(min_length=2)]
    edges: Annotated[list[Edge], Field(min_length=1)]

    def node(self, node_id: str) -> Node:
        """The node with this id; the file was checked to have it."""
        return next(node for node in self.nodes if node.id == node_id)


def shown_year(year: int) -> str:
    """A year as people write it."""
    return str(year) if year > 0 else f"{-year} BC"
