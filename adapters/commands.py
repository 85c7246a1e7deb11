"""What each command of the command line does; `adapters.cli` reads arguments and prints."""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import basemodels
from adapters import (
    backup,
    collecting,
    disk,
    exporting,
    fsck,
    gate,
    importing,
    peftconfig,
    requirement,
)
from adapters.errors import AdapterRefused, InvalidReference
from adapters.layout import CONFIG, MAX_BYTES
from adapters.store import Store
from adapters.tables import Answer, size

Command = Callable[[Store, argparse.Namespace], Answer]


def list_versions(store: Store, arguments: argparse.Namespace) -> Answer:
    """One row per version."""
    rows = []
    for name in [arguments.name] if arguments.name else store.names():
        aliases = store.aliases(name)
        for version in store.all_versions(name):
            number, facts = version.number, version.manifest
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
    if _is_directory(arguments.adapter):
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
    for text in arguments.require:
        requirement.require(text, str(version), store.evaluations(version.name, version.number))
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


def import_(store: Store, arguments: argparse.Namespace) -> Answer:
    """Publish an adapter that was made elsewhere."""
    found = importing.import_adapter(store, arguments.name, arguments.source, base=arguments.base)
    data = {
        "version": str(found.version),
        "path": str(found.version.path),
        "left_out": found.left_out,
        "pickles": found.pickles,
    }
    lines = [f"{arguments.source} is now {found.version}, in {found.version.path}"]
    if found.left_out:
        lines.append(f"left out: {', '.join(found.left_out)}")
    if found.pickles:
        lines.append(f"of these, reading would run code: {', '.join(found.pickles)}")
    return Answer(data, lines=lines)


def export(store: Store, arguments: argparse.Namespace) -> Answer:
    """Copy a version out of the store."""
    version = store.resolve(arguments.ref)
    target = exporting.export(store, version, arguments.target)
    data = {"version": str(version), "path": str(target)}
    return Answer(data, lines=[f"{version} is in {target}"])


def merge(store: Store, arguments: argparse.Namespace) -> Answer:
    """Write base and adapter as one model."""
    # numpy takes longer to import than most commands to run; see `adapters.gate`.
    from adapters import merging  # noqa: PLC0415

    version = store.resolve(arguments.ref)
    base_dir = basemodels.resolve(arguments.base or version.manifest.base.id)
    found = gate.check(version.path, base_dir)
    if found:
        raise AdapterRefused(str(version), found)
    with disk.reported(f"Merging {version}"):
        target = merging.merge(version, base_dir, arguments.target)
    data = {"version": str(version), "path": str(target)}
    return Answer(data, lines=[f"{version} merged into its base is in {target}"])


def diff(store: Store, arguments: argparse.Namespace) -> Answer:
    """What differs between two versions."""
    from adapters import comparison  # noqa: PLC0415 - numpy, as above

    old, new = store.resolve(arguments.old), store.resolve(arguments.new)
    facts = comparison.facts(store, old, new)
    layers = comparison.weights(old, new)
    data = {
        "old": str(old),
        "new": str(new),
        "facts": {path: {"old": pair[0], "new": pair[1]} for path, pair in facts.items()},
        "layers": [asdict(layer) for layer in layers],
    }
    rows = [
        (layer.layer, f"{layer.old:.4g}", f"{layer.new:.4g}", f"{layer.distance:.4g}")
        for layer in layers
    ]
    said = [f"{path}: {pair[0]} -> {pair[1]}" for path, pair in facts.items()]
    return Answer(
        data,
        columns=("layer", f"norm in {old}", f"norm in {new}", "distance"),
        rows=rows,
        lines=said or ["nothing said about them differs"],
    )


def collect(store: Store, arguments: argparse.Namespace) -> Answer:
    """Remove what nobody needs."""
    policy = collecting.Policy(
        keep_targets=arguments.keep_targets,
        min_age_s=arguments.min_age_days * 24 * 3600,
        lease_s=arguments.lease_hours * 3600,
    )
    names = _chosen(store, arguments.name, store.names())
    found = {
        name: collecting.collect(store, name, policy, dry_run=arguments.dry_run) for name in names
    }
    data = {"dry_run": arguments.dry_run, "adapters": {n: asdict(c) for n, c in found.items()}}
    verdicts = [verdict for collection in found.values() for verdict in collection.verdicts]
    removed = "would go" if arguments.dry_run else "removed"
    rows = [
        (v.version, removed if v.remove else "kept", v.why, size(v.size_bytes)) for v in verdicts
    ]
    leftovers = [path for collection in found.values() for path in collection.leftovers]
    lines = [f"{removed}: {path}, left by a writer that died" for path in leftovers]
    return Answer(data, columns=("version", "verdict", "why", "size"), rows=rows, lines=lines)


def check_store(store: Store, arguments: argparse.Namespace) -> Answer:
    """Everything in the store that is not as it was written."""
    names = _chosen(store, arguments.name, store.all_names())
    problems = [
        problem for name in names for problem in fsck.check(store, name, repair=arguments.repair)
    ]
    open_ones = [problem for problem in problems if problem.mended is None]
    text = f"{len(names)} adapter(s), {len(problems)} problem(s), {len(open_ones)} not mended"
    return Answer(
        {"ok": not open_ones, "problems": [asdict(problem) for problem in problems]},
        lines=[*map(str, problems), text],
        good=not open_ones,
    )


def back_up(store: Store, arguments: argparse.Namespace) -> Answer:
    """Copy the whole store while it is in use."""
    return _copied(backup.backup(store, arguments.target), arguments.target)


def restore(store: Store, arguments: argparse.Namespace) -> Answer:
    """Copy a backup to where the store shall be."""
    return _copied(backup.restore(arguments.source, store.root), store.root)


def _copied(copy: backup.Copy, target: Path) -> Answer:
    data = {"path": str(target), **asdict(copy)}
    text = f"{len(copy.versions)} version(s), {size(copy.size_bytes)}, are in {target}"
    left_out = [f"left out: {reason}" for reason in copy.left_out]
    return Answer(data, lines=[*left_out, text], good=not copy.left_out)


def _chosen(store: Store, name: str | None, every: list[str]) -> list[str]:
    if name is None:
        return every
    if name not in store.all_names():
        # Raises, and says which there are.
        store.resolve(name)
    return [name]


def _moved(name: str, alias: str, old: int | None, new: int) -> Answer:
    before = "new" if old is None else f"was {name}@{old}"
    data = {"name": name, "alias": alias, "old": old, "new": new}
    return Answer(data, lines=[f"{name}@{alias} is now {name}@{new} ({before})"])


def _is_directory(text: str) -> bool:
    # A reference has no slash: what has one is a path, even if nothing is there.
    try:
        return "/" in text or Path(text).is_dir()
    except OSError:
        return False


def _named_base(directory: Path) -> str:
    """The base that a PEFT directory names."""
    reason = "does not name its base model"
    try:
        named = peftconfig.named_base(disk.read(directory / CONFIG, MAX_BYTES[CONFIG]))
    except OSError as error:
        named, reason = None, f"cannot be read ({error.strerror})"
    if named is None:
        raise InvalidReference(
            f"{directory / CONFIG} {reason}. Expected a base model to verify against. Give it "
            "with --base."
        )
    return named
