"""The mutable part of a store: one atomic state file per adapter and append-only lines beside it.

Replacing the state is the commit point. Lines count only up to the length that the state names
(history) or to the last complete line (evaluations), so a torn write was never there.
"""

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters import disk, jsondoc
from adapters.errors import StoreDamaged
from adapters.layout import Home
from adapters.manifest import Sha256, require_schema

R = TypeVar("R", bound=BaseModel)

MAX_RECORD_BYTES = 64 << 20


class State(BaseModel):
    """What moves.

    Attributes:
        next_version: The number the next publish gets; numbers are never given twice.
        manifests: Digest of the manifest of every version that was given a number and not removed.
        aliases: Where each alias points.
        history_bytes: How much of the history file is acknowledged.
    """

    model_config = ConfigDict(extra="forbid")

    schema_version: Literal[1] = 1
    next_version: int = Field(default=1, ge=1)
    manifests: dict[int, Sha256] = Field(default_factory=dict)
    aliases: dict[str, int] = Field(default_factory=dict)
    history_bytes: int = Field(default=0, ge=0)


def load(home: Home) -> State:
    """Read the state of an adapter; one that was never published has an empty state.

    Raises:
        StoreDamaged: The file cannot be read, or is gone although there are versions.
    """
    try:
        raw = disk.read(home.state, MAX_RECORD_BYTES)
    except FileNotFoundError as error:
        if home.numbers_on_disk():
            raise _damaged(home.state, "it is gone, but there are versions") from error
        return State()
    except OSError as error:
        raise _damaged(home.state, str(error.strerror)) from error
    return parse(State, raw, home.state)


def save(home: Home, state: State) -> None:
    """Replace the state atomically.

    Raises:
        OSError: The disk refuses; the old state stands.
    """
    disk.replace(home.state, state.model_dump_json().encode() + b"\n")


def lines(path: Path, model: type[R], acknowledged_bytes: int | None = None) -> list[R]:
    """Read the acknowledged records of an append-only file, oldest first.

    Args:
        path: The file; absent means no records.
        model: What a line holds.
        acknowledged_bytes: How far the file counts; `None` is up to its last complete line.

    Raises:
        StoreDamaged: A line is no such record, or the file is shorter than what was acknowledged.
    """
    raw = _raw(path)
    end = len(complete(raw)) if acknowledged_bytes is None else acknowledged_bytes
    if len(raw) < end:
        raise _damaged(path, f"it has {len(raw)} bytes, {end} were acknowledged")
    return [parse(model, line, path) for line in raw[:end].splitlines()]


def append(path: Path, record: BaseModel, offset_bytes: int | None = None) -> int:
    """Append a record durably and return the length of the file in bytes.

    Args:
        path: The file.
        record: One line.
        offset_bytes: Where acknowledged content ends; `None` is after the last complete line.

    Raises:
        OSError: The disk refuses; what was acknowledged stands.
    """
    start = len(complete(_raw(path))) if offset_bytes is None else offset_bytes
    line = record.model_dump_json().encode() + b"\n"
    disk.append(path, line, start)
    return start + len(line)


def complete(raw: bytes) -> bytes:
    """The complete lines of a file that may end in a torn one."""
    return raw[: raw.rfind(b"\n") + 1]


def _raw(path: Path) -> bytes:
    try:
        return disk.read(path, MAX_RECORD_BYTES)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise _damaged(path, str(error.strerror)) from error


def parse(model: type[R], raw: bytes, path: Path) -> R:
    """Read one record that lies in `path`.

    Raises:
        StoreDamaged: It is no such record.
    """
    try:
        document = jsondoc.parse(raw)
        if model is State:
            require_schema(document)
        return model.model_validate_json(raw)
    except (ValidationError, ValueError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from error


def _damaged(path: Path, reason: str) -> StoreDamaged:
    return StoreDamaged(
        f"{path} cannot be read: {reason}. Expected what this store wrote there. Run "
        "`python -m adapters fsck`, which names everything that is wrong and mends what is safe."
    )
