"""Import: an adapter made elsewhere becomes a version; only files that we know come along."""

import errno
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import basemodels
from adapters import (
    archives,
    bases,
    disk,
    integrity,
    kinds,
    layout,
    peftconfig,
    provenance,
    staging,
)
from adapters.errors import AdapterRefused, ImportRefused
from adapters.findings import Findings, shown
from adapters.layout import CONFIG, MANIFEST, MAX_BYTES
from adapters.manifest import Draft
from adapters.store import Store, Version

T = TypeVar("T")

MAX_WEIGHTS_BYTES = 4 << 30
READING_FAILED = {errno.EFBIG, errno.ELOOP, errno.EMLINK, errno.EINVAL, errno.EACCES, errno.EISDIR}
HUB = re.compile(r"hub:(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>[0-9a-f]{40})")


@dataclass(frozen=True)
class Imported:
    """An adapter that came from elsewhere.

    Attributes:
        version: What it is now.
        left_out: Files of the source that did not come along.
    """

    version: Version
    left_out: list[str]

    @property
    def pickles(self) -> list[str]:
        """Those left out that only unpickling could read."""
        return [name for name in self.left_out if name.endswith(kinds.PICKLES)]


def import_adapter(store: Store, name: str, source: str, *, base: str | None = None) -> Imported:
    """Publish an adapter that was made elsewhere.

    Args:
        store: The store.
        name: What it is called there.
        source: A PEFT directory, a `.tar`, `.tar.gz` or `.zip` of one, or
            `hub:owner/repository@<40 hexadecimal digits>`.
        base: The base model; `None` is what the adapter names.

    Raises:
        ImportRefused: The source is not one adapter that can be read safely.
        AdapterRefused: The gate found something.
        InvalidReference: The name is not well-formed.
        StoreWriteFailed: The disk refused; nothing was published.
        BaseModelError: The base model is not known or cannot be read.
    """
    home = store.home(name)
    with disk.reported(f"Importing {source}"), staging.stage(home) as stage:
        path, cache = _located(source)
        left_out = _take(path, stage, cache)
        base_id = base or _named_base(stage, source)
        base_dir = basemodels.resolve(base_id)
        draft = _draft(stage, base_id, base_dir)
        try:
            version = store.publish(name, stage, draft, base_dir=base_dir)
        except AdapterRefused as error:
            raise AdapterRefused(f"The adapter in {source}", error.findings) from error
    return Imported(version, left_out)


def _located(source: str) -> tuple[Path, Path | None]:
    """Where the source lies on this disk, and the Hub's cache if it lies there."""
    if not source.startswith("hub:"):
        return Path(source), None
    match = HUB.fullmatch(source)
    if match is None:
        raise ImportRefused(
            f"{shown(source)} does not say which revision. Expected hub:owner/repository@ and the "
            "40 hexadecimal digits of a commit, since names such as main move. Take them from the "
            "repository's history."
        )
    # Only this source needs the Hub client; it takes a second to import.
    from huggingface_hub import snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        snapshot = snapshot_download(
            match["repository"],
            revision=match["revision"],
            allow_patterns=[layout.WEIGHTS, *layout.MAX_BYTES],
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ImportRefused(
            f"Cannot get {source} from the Hub ({reason}). Expected an existing repository and "
            "commit, and a network. Check both, or download the directory and import that."
        ) from error
    return Path(snapshot), Path(snapshot).resolve().parent.parent


def _limit_of(name: str) -> int | None:
    """The largest size of a file; the gate bounds the weights by the base model later."""
    return layout.max_bytes(name, MAX_WEIGHTS_BYTES)


def _take(path: Path, stage: Path, cache: Path | None) -> list[str]:
    """Bring the files of an adapter into `stage`; return what was left out."""
    if path.is_dir():
        return _take_directory(path, stage, cache)
    if path.is_file():
        return archives.unpack(path, stage, _limit_of)
    raise ImportRefused(
        f"There is no {path}. Expected a PEFT directory, a .tar, .tar.gz or .zip of one, or "
        "hub:owner/repository@revision. Check the path."
    )


def _take_directory(directory: Path, stage: Path, cache: Path | None) -> list[str]:
    left_out = []
    for entry in sorted(directory.iterdir()):
        limit_bytes = _limit_of(entry.name)
        if limit_bytes is None:
            left_out.append(entry.name)
            continue
        # The Hub's cache consists of links into itself; all others are refused.
        source = entry.resolve() if cache and entry.resolve().is_relative_to(cache) else entry
        try:
            disk.copy_new(source, stage / entry.name, limit_bytes)
        except OSError as error:
            if error.errno in READING_FAILED:
                raise ImportRefused(
                    f"{entry} cannot be taken ({error.strerror}). Expected a plain file with one "
                    f"name of at most {limit_bytes} bytes. Put a copy in its place (cp -L)."
                ) from error
            raise
    return left_out


def _named_base(stage: Path, source: str) -> str:
    """The base that the adapter names in its configuration."""
    named = _from_config(stage, peftconfig.named_base)
    if named is None:
        raise ImportRefused(
            f"{source} does not name its base model in {CONFIG}. Expected a catalogue name, a Hub "
            "id or a directory. Give it with --base."
        )
    return named


def _draft(stage: Path, base_id: str, base_dir: Path) -> Draft:
    """What the adapter's own manifest says, or what can be told without one."""
    try:
        manifest = integrity.parse(disk.read(stage / MANIFEST, MAX_BYTES[MANIFEST]))
    except FileNotFoundError:
        config = _from_config(stage, lambda raw: peftconfig.read(raw, Findings()))
        if config is None:
            # The gate names what is wrong with it.
            config = peftconfig.PeftConfig(rank=1, alpha=1.0, targets=frozenset())
        return Draft(base=bases.describe(base_id, base_dir), lora=provenance.facts(config))
    except ValueError as error:
        raise ImportRefused(
            f"Its {MANIFEST} cannot be read ({shown(str(error))}). Expected what export wrote. "
            "Export it again, or remove the file and import the rest."
        ) from error
    return manifest.draft()


def _from_config(stage: Path, read: Callable[[bytes], T | None]) -> T | None:
    try:
        return read(disk.read(stage / CONFIG, MAX_BYTES[CONFIG]))
    except FileNotFoundError:
        return None
