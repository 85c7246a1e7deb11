"""The lists of `/v1/models` and `/admin/adapters`, built from what is known in memory."""

from collections.abc import Iterator
from datetime import UTC, datetime

from service.answers import (
    AdapterList,
    AdapterState,
    CanaryState,
    DockedVersion,
    EventList,
    EventState,
    Model,
)
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


def adapters(parts: Parts, grant: Grant) -> AdapterList:
    """Every adapter that the key opens, and what concerns none of them."""
    problems = _problems(parts)
    entries = parts.reconciler.catalogue.reading.entries
    return AdapterList(
        adapters=[_state(parts, name, problems) for name in sorted(entries) if grant.allows(name)],
        free_places=parts.docks.free,
        draining=parts.lifecycle.stopping.is_set(),
        under_way=parts.lifecycle.under_way,
        problems={
            subject: text
            for subject, text in problems.items()
            if _subject(subject) not in entries and grant.adapters is None
        },
    )


def adapter(parts: Parts, name: str) -> AdapterState:
    """One adapter with its versions, aliases, places in the engine and problems.

    Raises:
        UnknownModel: There is no such adapter.
    """
    if name not in parts.reconciler.catalogue.reading.entries:
        raise UnknownModel(f"There is no adapter {name[:100]!r}; GET /admin/adapters lists them.")
    return _state(parts, name, _problems(parts))


def _state(parts: Parts, name: str, problems: dict[str, str]) -> AdapterState:
    reconciler, docks = parts.reconciler, parts.docks
    entry = reconciler.catalogue.reading.entries[name]
    return AdapterState(
        name=name,
        versions=sorted(entry.versions),
        aliases=reconciler.serving.get(name, {}),
        store_aliases=dict(entry.aliases),
        pins=sorted(key.number for key in reconciler.steering.pins if key.name == name),
        canaries={
            alias: CanaryState.model_validate(canary, from_attributes=True)
            for (of, alias), canary in reconciler.steering.canaries.items()
            if of == name
        },
        docked=[
            DockedVersion(version=key.number, state=berth.state, leases=berth.leases)
            for key, berth in sorted(docks.berths.items())
            if key.name == name
        ],
        problems={s: text for s, text in problems.items() if _subject(s) == name},
    )


def _problems(parts: Parts) -> dict[str, str]:
    reading = parts.reconciler.catalogue.reading
    problems = {str(key): failure.reason for key, failure in parts.docks.failures.items()}
    for entry in reading.entries.values():
        problems.update(entry.unreadable)
    return {**problems, **reading.unreadable, **parts.reconciler.problems}


def events(parts: Parts, grant: Grant, after: int, limit: int) -> EventList:
    """What happened lately to what the key opens."""
    found = [
        EventState(
            number=event.number,
            at=datetime.fromtimestamp(event.at_unix_s, UTC),
            kind=event.kind,
            subject=event.subject,
            reason=event.reason,
            count=event.count,
        )
        for event in parts.events.after(after, limit)
        if grant.allows(_subject(event.subject))
    ]
    return EventList(events=found)


def count_problems(parts: Parts) -> int:
    """How many adapters or versions are not served as they should be."""
    return len(_problems(parts))


def _subject(text: str) -> str:
    return text.partition("@")[0]
