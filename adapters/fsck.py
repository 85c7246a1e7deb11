"""fsck: name everything in a store that is not as it was written, mend what is safe.

What cannot be mended is moved to quarantine, never deleted, and never under a live holder.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from adapters import aliases, disk, holds, integrity, kinds, quarantine, records, strays
from adapters.errors import StoreDamaged
from adapters.findings import Finding, Findings
from adapters.layout import MANIFEST, MAX_BYTES, Home
from adapters.manifest import AliasChange, Evaluation
from adapters.problems import Problem, Visit
from adapters.store import Store

R = TypeVar("R", bound=BaseModel)

ANY_BYTES = 1 << 62


def check(store: Store, name: str, *, repair: bool) -> list[Problem]:
    """Look at every byte of one adapter.

    Args:
        store: The store.
        name: The adapter.
        repair: Mend what is safe and quarantine the rest.

    Raises:
        InvalidReference: The name is not well-formed.
        StoreWriteFailed: The disk refused.
        StoreBusy: A writer held the lock too long.
    """
    home = store.home(name)
    if not home.path.is_dir():
        return []
    with disk.reported(f"Checking {name}"), store.locked(name):
        visit = Visit(home, repair)
        _check_state(visit)
        _check_history(visit)
        _check_strays(visit)
        _check_numbers(visit)
        _check_versions(visit)
        _check_evaluations(visit)
        _check_aliases(visit)
        _check_past(visit)
    return visit.problems


def _check_state(visit: Visit) -> None:
    try:
        visit.state = records.load(visit.home)
    except StoreDamaged as error:
        visit.state = _rebuilt(visit.home)
        mended = f"rebuilt from {len(visit.state.manifests)} whole version(s) and the history"
        visit.note("state_unreadable", "/state.json", str(error), mended)
        if visit.repair:
            quarantine.set_aside(visit.home, visit.home.state)
            visit.save()


def _rebuilt(home: Home) -> records.State:
    """The state that versions and history speak of."""
    changes, end = _readable(home.history, AliasChange)
    in_history = [change.new for change in changes]
    seen = [*home.numbers_on_disk(), *in_history, *quarantine.numbers(home)]
    whole = [number for number in home.numbers_on_disk() if not damage(home.version(number))]
    return records.State(
        next_version=max(seen, default=0) + 1,
        manifests={number: _manifest_sha256(home.version(number)) for number in whole},
        aliases={change.alias: change.new for change in changes},
        history_bytes=end,
    )


def _check_history(visit: Visit) -> None:
    problem = _lines_problem(visit.home.history, AliasChange, visit.state.history_bytes)
    if problem is None:
        return
    changes, _ = _readable(visit.home.history, AliasChange)
    mended = f"kept {len(changes)} readable line(s), the old file is in quarantine"
    visit.note("history_unreadable", "/history.jsonl", problem, mended)
    if visit.repair:
        quarantine.set_aside(visit.home, visit.home.history)
        visit.state.history_bytes = _rewrite(visit.home.history, changes)
        visit.save()


def _check_strays(visit: Visit) -> None:
    for path in strays.find(visit.home):
        visit.note(
            "stray",
            f"/{path.relative_to(visit.home.path)}",
            "Nothing here put it there, or its writer died. Remove it.",
            "moved to quarantine",
        )
        if visit.repair:
            quarantine.move(visit.home, path)


def _check_versions(visit: Visit) -> None:
    held = holds.live(visit.home)
    on_disk = visit.home.numbers_on_disk()
    for number in sorted({*on_disk, *visit.state.manifests}):
        found = _version_problem(visit, number, number in on_disk)
        if found is None:
            continue
        code, message = found
        if number in held:
            visit.note(code, f"@{number}", f"{message} It is held by {held[number][0]}; stop that.")
            continue
        _retire(visit, number, code, message)


def _version_problem(visit: Visit, number: int, on_disk: bool) -> tuple[str, str] | None:
    path = visit.home.version(number)
    expected = visit.state.manifests.get(number)
    if not on_disk:
        return (
            "version_missing",
            "It was given its number but is not there: its publish was cut short, or somebody "
            "deleted it. Publish again if it is needed.",
        )
    if expected is None:
        return "version_unregistered", "It is not among the published ones. Publish it if needed."
    found = damage(path)
    if not found and _manifest_sha256(path) != expected:
        found = [Finding("file_changed", "The manifest changed after publishing.", MANIFEST)]
    if found:
        return (
            "version_damaged",
            f"It is not what was published: {'; '.join(map(str, found))} Publish it again.",
        )
    return None


def _retire(visit: Visit, number: int, code: str, message: str) -> None:
    there = visit.home.version(number).exists()
    visit.note(code, f"@{number}", message, "moved to quarantine" if there else "forgotten")
    if visit.repair and there:
        quarantine.set_aside(visit.home, visit.home.version(number))
    if visit.state.manifests.pop(number, None) is not None:
        visit.save()


def _check_numbers(visit: Visit) -> None:
    changes, _ = _readable(visit.home.history, AliasChange)
    highest = max([*visit.state.manifests, *(change.new for change in changes)], default=0)
    following = visit.state.next_version
    if following <= highest:
        visit.note(
            "number_given",
            "/state.json",
            f"The next version would be {following}, but {highest} was given before.",
            f"the next will be {highest + 1}",
        )
        visit.state.next_version = highest + 1
        visit.save()


def _check_evaluations(visit: Visit) -> None:
    directory = visit.home.path / "evaluations"
    for path in sorted(directory.glob("*.jsonl")) if directory.is_dir() else []:
        problem = _lines_problem(path, Evaluation)
        if problem is None:
            continue
        kept, _ = _readable(path, Evaluation)
        mended = f"kept {len(kept)} readable line(s), the old file is in quarantine"
        visit.note("evaluation_unreadable", f"/evaluations/{path.name}", problem, mended)
        if visit.repair:
            quarantine.set_aside(visit.home, path)
            _rewrite(path, kept)


def _check_aliases(visit: Visit) -> None:
    whole = sorted(set(visit.home.numbers_on_disk()) & set(visit.state.manifests))
    for alias, number in visit.state.aliases.items():
        if number not in whole:
            visit.note(
                "alias_to_nowhere",
                f"@{alias}",
                f"It points at version {number}, which is not there; there are "
                f"{', '.join(map(str, whole)) or 'none'}. Promote one of these.",
            )


def _check_past(visit: Visit) -> None:
    """The state says where an alias points; the last line of its history should say the same."""
    state, path = visit.state, visit.home.history
    if _lines_problem(path, AliasChange, state.history_bytes) is not None:
        return
    said = {
        change.alias: change.new for change in records.lines(path, AliasChange, state.history_bytes)
    }
    for alias in sorted({*said, *state.aliases}):
        now, before = state.aliases.get(alias), said.get(alias)
        if now == before:
            continue
        visit.note(
            "alias_disagrees",
            f"@{alias}",
            f"It points at {aliases.shown(now)}, its history says {aliases.shown(before)}. Promote "
            "the version that it shall point at.",
            None if now is None else "the history got a line that says so",
        )
        if visit.repair and now is not None:
            _note_alias(visit, alias, before, now)


def _note_alias(visit: Visit, alias: str, old: int | None, new: int) -> None:
    change = AliasChange(
        alias=alias,
        old=old,
        new=new,
        when=datetime.now(UTC),
        who="fsck",
        why="the history did not say where it points",
    )
    visit.state.history_bytes = records.append(
        visit.home.history, change, visit.state.history_bytes
    )
    visit.save()


def _lines_problem(path: Path, model: type[BaseModel], end: int | None = None) -> str | None:
    try:
        records.lines(path, model, end)
    except StoreDamaged as error:
        return str(error)
    return None


def damage(directory: Path) -> list[Finding]:
    """What is wrong with the files of a version, by its own manifest."""
    findings = Findings()
    files = kinds.check(directory, ANY_BYTES, findings)
    if MANIFEST in files:
        integrity.check(directory, files, findings)
    else:
        findings.add("manifest_invalid", MANIFEST, "It is not there.")
    return findings.all()


def _manifest_sha256(directory: Path) -> str:
    return hashlib.sha256(disk.read(directory / MANIFEST, MAX_BYTES[MANIFEST])).hexdigest()


def _readable(path: Path, model: type[R]) -> tuple[list[R], int]:
    """The lines of a file that can be read, and the length of its complete lines in bytes."""
    try:
        raw = records.complete(disk.read(path, records.MAX_RECORD_BYTES))
    except OSError:
        return [], 0
    kept = []
    for line in raw.splitlines():
        try:
            kept.append(records.parse(model, line, path))
        except StoreDamaged:
            continue
    return kept, len(raw)


def _rewrite(path: Path, kept: list[R]) -> int:
    content = b"".join(record.model_dump_json().encode() + b"\n" for record in kept)
    disk.replace(path, content)
    return len(content)
