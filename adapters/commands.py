"""What each command of the command line does; `adapters.cli` reads arguments and prints."""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import basemodels
from adapters import disk, gate, peftconfig
from adapters.errors import InvalidReference
from adapters.findings import Findings
from adapters.layout import CONFIG, MAX_BYTES
from adapters.store import Store
from adapters.tables import Answer, size

Command = Callable[[Store, argparse.Namespace], Answer]


def list_versions(store: Store, arguments: argparse.Namespace) -> Answer:
    """One row per version."""
    rows = []
    for name in [arguments.name] if arguments.name else store.names():
        aliases = store.aliases(name)
        for number in store.versions(name):
            version = store.version(name, number)
            facts = version.manifest
            rows.append(
                {
                    "name": name,
                    "version": number,
                    "aliases": [alias for alias, target in aliases.items() if target == number],
                    "created": facts.created.isoformat(timespec="seconds"),
                    "base": facts.base.id,
                    "rank": facts.lora.rank,
                    "size_bytes": sum(file.size_bytes for file in facts.files.values()),
                    "content_sha256": facts.content_sha256,
                }
            )
    if arguments.name and not rows:
        store.resolve(arguments.name)
    cells = [
        (
            f"{row['name']}@{row['version']}",
            row["aliases"],
            row["created"],
            row["base"],
            row["rank"],
            size(int(str(row["size_bytes"]))),
        )
        for row in rows
    ]
    return Answer(
        rows, columns=("version", "aliases", "created", "base", "rank", "size"), rows=cells
    )


def show(store: Store, arguments: argparse.Namespace) -> Answer:
    """The manifest, where it lies, what points at it and what was measured on it."""
    version = store.resolve(arguments.ref)
    moving = store.aliases(version.name)
    data = {
        "version": str(version),
        "path": str(version.path),
        "aliases": [alias for alias, target in moving.items() if target == version.number],
        "manifest": version.manifest.model_dump(mode="json"),
        "evaluations": [
            record.model_dump(mode="json")
            for record in store.evaluations(version.name, version.number)
        ],
    }
    flat = {key: value for key, value in data.items() if key != "manifest"}
    return Answer(data, facts=flat | version.manifest.model_dump(mode="json"))


def verify(store: Store, arguments: argparse.Namespace) -> Answer:
    """Every finding of the gate, for a directory or a version."""
    directory = Path(arguments.adapter)
    if directory.is_dir():
        named = arguments.base or _named_base(directory)
    else:
        version = store.resolve(arguments.adapter)
        directory, named = version.path, arguments.base or version.manifest.base.id
    base_dir = basemodels.resolve(named)
    found = gate.check(directory, base_dir, max_rank=arguments.max_rank)
    data = {"ok": not found, "findings": [asdict(finding) for finding in found]}
    text = (
        f"{directory}: {'fit to be docked' if not found else f'refused, {len(found)} finding(s)'}"
    )
    return Answer(data, lines=[*map(str, found), text], good=not found)


def history(store: Store, arguments: argparse.Namespace) -> Answer:
    """Every change of an alias, oldest first."""
    changes = [change.model_dump(mode="json") for change in store.history(arguments.name)]
    if not changes:
        store.resolve(f"{arguments.name}@1")
    columns = ("when", "alias", "old", "new", "who", "why")
    return Answer(
        changes, columns=columns, rows=[[change[key] for key in columns] for change in changes]
    )


def promote(store: Store, arguments: argparse.Namespace) -> Answer:
    """Move an alias to a version, if nobody moves it meanwhile."""
    version = store.resolve(arguments.ref)
    old = store.aliases(version.name).get(arguments.alias)
    store.set_alias(
        version.name,
        arguments.alias,
        version.number,
        expected=old,
        who=arguments.who,
        why=arguments.why,
    )
    return _moved(version.name, arguments.alias, old, version.number)


def rollback(store: Store, arguments: argparse.Namespace) -> Answer:
    """Move an alias to its earlier target."""
    old = store.aliases(arguments.name).get(arguments.alias)
    new = store.rollback(arguments.name, arguments.alias, who=arguments.who, why=arguments.why)
    return _moved(arguments.name, arguments.alias, old, new)


def _moved(name: str, alias: str, old: int | None, new: int) -> Answer:
    before = "new" if old is None else f"was {name}@{old}"
    data = {"name": name, "alias": alias, "old": old, "new": new}
    return Answer(data, lines=[f"{name}@{alias} is now {name}@{new} ({before})"])


def _named_base(directory: Path) -> str:
    """The base that a PEFT directory names."""
    try:
        config = peftconfig.read(disk.read(directory / CONFIG, MAX_BYTES[CONFIG]), Findings())
    except OSError:
        config = None
    if config is None or config.base is None:
        raise InvalidReference(
            f"{directory} does not name its base model in {CONFIG}. Expected one to verify "
            "against. Give it with --base."
        )
    return config.base
