"""The lists of `/v1/models` and `/admin/adapters`, built from what is known in memory."""

from collections.abc import Iterator

from service.answers import AdapterList, AdapterState, DockedVersion, Model
from service.catalogue import Entry
from service.errors import UnknownModel
from service.keys import Grant
from service.parts import Parts
from service.reconciler import STABLE


def models(parts: Parts, grant: Grant) -> list[Model]:
    """The base, then each task with its aliases and versions, by name; what the key opens of it."""
    base = Model(id=parts.engine.base_model, created=parts.started_unix_s, kind="base")
    found = [base] if grant.allows(base.id) else []
    for name, entry in sorted(parts.reconciler.catalogue.reading.entries.items()):
        if not grant.allows(name):
            continue
        found += _of_adapter(name, entry, parts.reconciler.serving.get(name, {}), base.id)
    return found


def _of_adapter(name: str, entry: Entry, serving: dict[str, int], base: str) -> Iterator[Model]:
    for alias, number in sorted(serving.items(), key=lambda pair: (pair[0] != STABLE, pair[0])):
        version = entry.versions.get(number)
        if version is not None:
            yield Model(
                id=name if alias == STABLE else f"{name}@{alias}",
                created=int(version.manifest.created.timestamp()),
                kind="task" if alias == STABLE else "alias",
                parent=base,
                serves=str(version),
            )
    for _, version in sorted(entry.versions.items()):
        yield Model(
            id=str(version),
            created=int(version.manifest.created.timestamp()),
            kind="version",
            parent=base,
            serves=str(version),
        )


def model(parts: Parts, grant: Grant, model_id: str) -> Model:
    """One of `models`.

    Raises:
        UnknownModel: There is none of that id.
    """
    for candidate in models(parts, grant):
        if candidate.id == model_id:
            return candidate
    raise UnknownModel(
        f"The model {model_id[:100]!r} does not exist. GET /v1/models lists those that do."
    )


def adapters(parts: Parts) -> AdapterList:
    """Every adapter with its versions, aliases, places in the engine and problems."""
    reconciler, docks = parts.reconciler, parts.docks
    reading = reconciler.catalogue.reading
    problems = {str(key): failure.reason for key, failure in docks.failures.items()}
    for entry in reading.entries.values():
        problems.update(entry.unreadable)
    problems = {**problems, **reading.unreadable, **reconciler.problems}
    states = [
        AdapterState(
            name=name,
            versions=sorted(entry.versions),
            aliases=reconciler.serving.get(name, {}),
            store_aliases=dict(entry.aliases),
            docked=[
                DockedVersion(version=key.number, state=berth.state, leases=berth.leases)
                for key, berth in sorted(docks.berths.items())
                if key.name == name
            ],
            problems={
                subject: text for subject, text in problems.items() if _subject(subject) == name
            },
        )
        for name, entry in sorted(reading.entries.items())
    ]
    others = {
        subject: text
        for subject, text in problems.items()
        if _subject(subject) not in reading.entries
    }
    return AdapterList(adapters=states, free_places=docks.free, problems=others)


def count_problems(parts: Parts) -> int:
    """How many adapters or versions are not served as they should be."""
    listed = adapters(parts)
    return len(listed.problems) + sum(len(state.problems) for state in listed.adapters)


def _subject(text: str) -> str:
    return text.partition("@")[0]
