"""What is known about a version: one immutable record, written by training, read by the service.

The schema is closed; a key that is not here is an error, so old and new never misread each other.
"""

import hashlib
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from adapters import template
from adapters.findings import shown

SCHEMA_VERSION = 1
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(min_length=1, max_length=1024)]


def _servable(source: str | None) -> str | None:
    problem = None if source is None else template.problem(source)
    if problem is not None:
        raise ValueError(problem)
    return source


class Record(BaseModel):
    """Closed and immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Sampling(Record):
    """How answers are drawn unless the request says otherwise."""

    temperature: float = Field(default=0.0, ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(default=256, ge=1, le=1 << 20)


class PromptForm(Record):
    """How chat messages become exactly the text that was trained on.

    Attributes:
        template: A Jinja template over `messages` (see `adapters.template`); `None` uses the
            base model's own.
        stop: Strings that end an answer.
        sampling: Defaults for requests that do not set their own.
    """

    template: Annotated[str | None, AfterValidator(_servable)] = None
    stop: list[Annotated[str, Field(min_length=1, max_length=256)]] = Field(
        default_factory=list, max_length=16
    )
    sampling: Sampling = Sampling()


class BaseRef(Record):
    """The base model an adapter was trained on; `adapters.bases.describe` makes one."""

    id: Text
    revision: str | None = None
    config_sha256: Sha256
    tokenizer_sha256: Sha256


class LoraFacts(Record):
    """The LoRA that was trained: rank, alpha (scale = alpha / rank, rsLoRA: / sqrt(rank))."""

    rank: int
    alpha: float
    targets: list[str]
    rslora: bool = False


class DataFacts(Record):
    """What it was trained on; `content_sha256` is over the rows as they were used."""

    rows: int = Field(ge=0)
    content_sha256: Sha256
    licence: str | None = None
    sources: list[str] = Field(default_factory=list)


class RunFacts(Record):
    """How it was trained; `seconds` is wall-clock time."""

    seed: int
    seconds: float = Field(ge=0)
    packages: dict[str, str] = Field(default_factory=dict)
    hardware: str = ""


class FileDigest(Record):
    """One file of a version."""

    sha256: Sha256
    size_bytes: int = Field(ge=0)


class Draft(Record):
    """What a trainer knows; the store adds name, number, time and digests.

    Attributes:
        base: The base model.
        lora: Must agree with `adapter_config.json`.
        prompt: The prompt form that was trained.
        probes: Prompts whose answers must differ from the base model's.
        training: The resolved configuration of the run.
        data: What it was trained on.
        run: How it was trained.
        parent: The version this one continues, `name@3`.
    """

    base: BaseRef
    lora: LoraFacts
    prompt: PromptForm = PromptForm()
    probes: list[Annotated[str, Field(min_length=1, max_length=8192)]] = Field(
        default_factory=list, max_length=64
    )
    training: dict[str, JsonValue] = Field(default_factory=dict)
    data: DataFacts | None = None
    run: RunFacts | None = None
    parent: str | None = None


class Manifest(Draft):
    """A draft that was published.

    Attributes:
        schema_version: Of this record.
        name: The adapter.
        version: Its number.
        created: When it was published, UTC.
        files: Digest and size of every file beside the manifest.
        content_sha256: Digest of the whole, over `files`.
    """

    schema_version: Literal[1] = 1
    name: str
    version: int = Field(ge=1)
    created: AwareDatetime
    files: dict[str, FileDigest]
    content_sha256: Sha256

    def draft(self) -> Draft:
        """The part that a trainer supplied."""
        return Draft.model_validate({key: getattr(self, key) for key in Draft.model_fields})


class AliasChange(Record):
    """One line of an adapter's history."""

    alias: str
    old: int | None
    new: int
    when: datetime
    who: str
    why: str


class Evaluation(Record):
    """Numbers measured on a version after it was published."""

    recorded: datetime
    results: dict[str, JsonValue]


def require_schema(document: object) -> None:
    """Refuse a record of another schema before anything else about it is judged.

    Args:
        document: A manifest, or the state of an adapter, as parsed JSON.

    Raises:
        ValueError: It is not of schema 1.
    """
    found = document.get("schema_version") if isinstance(document, dict) else None
    if type(found) is not int or found != SCHEMA_VERSION:
        raise ValueError(
            f"schema_version is {shown(found)}, expected {SCHEMA_VERSION}; use the Loradock that wrote it"
        )


def content_sha256(files: dict[str, FileDigest]) -> str:
    """The digest of a whole version, over the digests of its files in name order."""
    lines = (f"{name} {files[name].sha256} {files[name].size_bytes}\n" for name in sorted(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
