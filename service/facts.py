"""What is known of an adapter beside its state: lineage, data, run, evaluations, and moves of aliases.

Read from the store when somebody asks; nothing of it decides what is served.
"""

from datetime import datetime

from pydantic import BaseModel, Field

from adapters.manifest import AliasChange, DataFacts, Evaluation, LoraFacts, RunFacts
from adapters.store import Version
from service.catalogue import Records
from service.errors import UnknownModel
from service.parts import Parts

# The latest of each; the store keeps all.
TOLD_EVALUATIONS = 20
TOLD_MOVES = 50


class VersionFacts(BaseModel):
    """One version: where it comes from, and how well it did."""

    version: int
    created: datetime
    base: str = Field(description="the base model it was trained on")
    parent: str | None = Field(description="the version it continues, such as `task@2`")
    lora: LoraFacts
    data: DataFacts | None = Field(description="what it was trained on; null if nobody said")
    run: RunFacts | None = Field(description="how it was trained; null if nobody said")
    training: dict[str, str | int | float | bool] = Field(
        description="settings and figures of the run that are single values"
    )
    evaluations: list[Evaluation] = Field(description="measured after publishing, oldest first")


class AdapterFacts(BaseModel):
    """One adapter: its versions, and how its aliases moved."""

    name: str
    versions: list[VersionFacts]
    rollback: dict[str, int] = Field(description="where a rollback would take each alias")
    moves: list[AliasChange] = Field(description="of all aliases, oldest first")
    problem: str | None = Field(description="why moves or evaluations are missing")


async def facts(parts: Parts, name: str) -> AdapterFacts:
    """Everything that is known of an adapter's versions.

    Raises:
        UnknownModel: There is no such adapter.
    """
    entry = parts.reconciler.catalogue.reading.entries.get(name)
    if entry is None:
        raise UnknownModel(f"There is no adapter {name[:100]!r}; GET /admin/adapters lists them.")
    records = await parts.reconciler.catalogue.records(name, sorted(entry.versions))
    last_moves = {move.alias: move for move in records.moves}
    return AdapterFacts(
        name=name,
        versions=[_of(version, records) for _, version in sorted(entry.versions.items())],
        rollback={
            alias: move.old
            for alias, move in last_moves.items()
            if move.old is not None and alias in entry.aliases
        },
        moves=records.moves[-TOLD_MOVES:],
        problem=records.problem,
    )


def _of(version: Version, records: Records) -> VersionFacts:
    manifest = version.manifest
    return VersionFacts(
        version=version.number,
        created=manifest.created,
        base=manifest.base.id,
        parent=manifest.parent,
        lora=manifest.lora,
        data=manifest.data,
        run=manifest.run,
        training={
            name: value
            for name, value in manifest.training.items()
            if isinstance(value, str | int | float | bool)
        },
        evaluations=records.evaluations.get(version.number, [])[-TOLD_EVALUATIONS:],
    )
