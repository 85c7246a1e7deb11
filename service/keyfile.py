"""The file of keys: who may ask for what, and how much. It holds digests, never keys.

Written by `python -m service keys`, read by the server, which follows its changes. Keys are 256
random bits, so a plain sha256 cannot be searched; a slow hash would only slow every request down.
"""

import hashlib
import secrets
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters import disk
from adapters.errors import AdapterError
from service.errors import KeyFileError

Role = Literal["inference", "admin"]
# Of an adapter, or the id of the base.
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$")]

ID_BYTES = 4
SECRET_BYTES = 32
MAX_FILE_BYTES = 4 << 20
LOCK_TIMEOUT_S = 10.0


class KeyRecord(BaseModel):
    """One key, without the key.

    Attributes:
        id: Public; it begins the key and stands in logs.
        sha256: Digest of the whole key.
        adapters: The adapters it is limited to; unset: all, and the base.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[0-9a-f]{8}$")
    name: str = Field(min_length=1, max_length=100)
    scope: Role
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    created: datetime
    adapters: list[ModelName] | None = Field(None, min_length=1)
    requests_per_min: int | None = Field(None, ge=1, le=1_000_000)
    max_concurrent: int | None = Field(None, ge=1, le=100_000)


class Wanted(BaseModel):
    """What a new key shall open."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
    scope: Role = "inference"
    adapters: list[ModelName] | None = Field(None, min_length=1)
    requests_per_min: int | None = Field(None, ge=1, le=1_000_000)
    max_concurrent: int | None = Field(None, ge=1, le=100_000)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    schema_version: int = Field(default=1, ge=1, le=1)
    keys: list[KeyRecord] = Field(default_factory=list)


def digest_of(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", errors="surrogateescape")).hexdigest()


def stamp(path: Path) -> tuple[int, ...] | None:
    """Changes whenever the file is replaced or its mode is set; None: it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode


def read(path: Path) -> list[KeyRecord]:
    """Every key in the file.

    Raises:
        KeyFileError: It cannot be read, is no file of keys, or can be changed by others.
    """
    try:
        others_write = path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        file = _File.model_validate_json(disk.read(path.resolve(), MAX_FILE_BYTES))
    except (OSError, AdapterError) as error:
        raise KeyFileError(
            f"The key file {path} cannot be read: {error}. Expected one made by "
            "`python -m service keys create`. Check --key-file."
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise KeyFileError(
            f"The key file {path} is damaged: {place}: {first['msg']}. Expected what "
            "`python -m service keys` wrote. Put a copy back, or create the keys again."
        ) from error
    if others_write:
        raise KeyFileError(
            f"The key file {path} can be changed by its group or by everybody, who could give "
            f"themselves keys; expected its owner alone. Run `chmod go-w {path}`."
        )
    ids = [record.id for record in file.keys]
    if len(set(ids)) != len(ids):
        raise KeyFileError(
            f"The key file {path} has two keys of one id; expected different ones. Remove one."
        )
    return file.keys


def create(path: Path, wanted: Wanted) -> tuple[KeyRecord, str]:
    """Add a key to the file, which need not exist, and return its record and the key itself.

    Raises:
        KeyFileError: The file cannot be read or written.
    """
    key_id = secrets.token_hex(ID_BYTES)
    key = f"ldk-{key_id}-{secrets.token_urlsafe(SECRET_BYTES)}"
    record = KeyRecord(
        id=key_id, sha256=digest_of(key), created=datetime.now(UTC), **wanted.model_dump()
    )
    _change(path, lambda records: [*records, record])
    return record, key


def revoke(path: Path, key_id: str) -> None:
    """Take a key out of the file; servers refuse it within a second.

    Raises:
        KeyFileError: There is no such key, or the file cannot be read or written.
    """

    def without(records: list[KeyRecord]) -> list[KeyRecord]:
        left = [record for record in records if record.id != key_id]
        if len(left) == len(records):
            known = ", ".join(record.id for record in records) or "none"
            raise KeyFileError(
                f"There is no key {key_id!r} in {path}; it holds: {known}. "
                "`python -m service keys list` shows them."
            )
        return left

    _change(path, without)


def _change(path: Path, change: Callable[[list[KeyRecord]], list[KeyRecord]]) -> None:
    path = path.resolve()
    try:
        with disk.locked(path.with_name(f".{path.name}.lock"), LOCK_TIMEOUT_S):
            records = change(read(path) if path.exists() else [])
            disk.replace(path, _File(keys=records).model_dump_json(indent=1).encode() + b"\n")
    except (OSError, AdapterError) as error:
        raise KeyFileError(
            f"The key file {path} cannot be written: {error}. Expected a directory that this user "
            "may write to. Check --key-file."
        ) from error
