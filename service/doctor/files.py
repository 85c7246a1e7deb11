"""The base model's files and the file of keys: there, whole, and as they should be."""

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

from basemodels import BaseModelError, resolve
from basemodels.resolving import cached_directory, local_directory
from service import keyfile
from service.doctor.finding import Finding
from service.errors import KeyFileError

MAX_HEADER_BYTES = 100 << 20


def find_base(base: str) -> Path | None:
    """Where a base lies on this machine; None: nowhere yet. Downloads nothing."""
    return local_directory(base) or cached_directory(base)


def base(name: str, directory: Path | None) -> Finding:
    """Whether the base is here, with every file it needs, none cut short."""
    if directory is None:
        return _not_here(name)
    try:
        resolve(str(directory))
    except BaseModelError as error:
        return Finding("base", "failed", str(error), f"Fetch it again: {_fetch(name)}.")
    wrong = [*_missing_shards(directory), *_cut_short(directory)]
    if wrong:
        remedy = f"Remove {directory} and fetch it again: {_fetch(name)}."
        return Finding("base", "failed", "; ".join(wrong), remedy)
    size_bytes = sum(path.stat().st_size for path in directory.glob("*.safetensors"))
    return Finding("base", "ok", f"{name} in {directory}, {size_bytes / 1e9:.2f} GB of weights")


def _not_here(name: str) -> Finding:
    try:
        # Refuses a name that is nowhere, without asking the Hub for one that has no owner.
        if name.count("/") != 1:
            resolve(name)
    except BaseModelError as error:
        return Finding("base", "failed", str(error), f"{_fetch(name)}, or set another base.")
    return Finding(
        "base", "warning", f"{name} is not on this machine yet", "The start will download it."
    )


def _fetch(name: str) -> str:
    return f"`python -m basemodels fetch {name}`"


def _missing_shards(directory: Path) -> list[str]:
    index = directory / "model.safetensors.index.json"
    if not index.is_file():
        return []
    try:
        shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, AttributeError, TypeError):
        return [f"{index.name} cannot be read"]
    return [f"{shard} is missing" for shard in sorted(shards) if not (directory / shard).is_file()]


def _cut_short(directory: Path) -> list[str]:
    """Files of weights that are not as long as their header says."""
    wrong = []
    for path in sorted(directory.glob("*.safetensors")):
        expected, size_bytes = _promised_bytes(path), path.stat().st_size
        if expected != size_bytes:
            promised = "no header" if expected is None else f"a header for {expected}"
            wrong.append(f"{path.name} has {size_bytes} bytes and {promised}")
    return wrong


def _promised_bytes(path: Path) -> int | None:
    """How long a safetensors file should be; None: its header cannot be read."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        raw = file.read(length) if length <= MAX_HEADER_BYTES else b""
    try:
        header = json.loads(raw)
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
        return 8 + length + max(ends, default=0)
    except (ValueError, KeyError, IndexError, AttributeError, TypeError):
        return None


def keys(path: Path | None, keys_set: bool) -> Finding:
    """Whether the file of keys can be used, is its owner's alone, and lets somebody in.

    Args:
        path: The key file.
        keys_set: Whether the two keys of the settings are set.
    """
    if path is None:
        found = "the two keys of the settings" if keys_set else "none, and only this machine asks"
        return Finding("keys", "ok", found)
    try:
        records = keyfile.read(path)
    except KeyFileError as error:
        remedy = "As the text says; `python -m service keys create --help` makes one."
        return Finding("keys", "failed", str(error), remedy)
    status = path.stat()
    if status.st_uid not in (0, os.getuid()):
        remedy = f"`chown {os.getuid()} {path}`: whoever owns it can give themselves keys."
        return Finding("keys", "warning", f"{path} belongs to user {status.st_uid}", remedy)
    scopes = [record.scope for record in records]
    found = f"{len(scopes)} in {path}, {scopes.count('admin')} of them admin"
    if not scopes and not keys_set:
        remedy = "`python -m service keys create --name NAME`; until then everybody is refused."
        return Finding("keys", "warning", f"{path} holds no key", remedy)
    if any(record.created > datetime.now(UTC) for record in records):
        return Finding("keys", "warning", f"{found}; one is of the future", "Check the clock.")
    mode = stat.S_IMODE(status.st_mode)
    return Finding("keys", "ok", f"{found}, mode {mode:o}")
