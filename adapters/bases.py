"""Which base model an adapter was made for, and whether a directory holds that one.

Digests are over what changes the meaning of weights and text, so that saving a base again with
another library version does not orphan its adapters.
"""

import hashlib
import json
import re
from pathlib import Path

from adapters.layout import TOKENIZER_FILES
from adapters.manifest import BaseRef
from basemodels import BaseModelError
from basemodels.catalogue import CATALOGUE
from basemodels.modules import read_config
from basemodels.resolving import cache_root

MAX_CONFIG_BYTES = 1 << 20
COMMIT = re.compile(r"[0-9a-f]{40}")
# How and by what the configuration was written, not what the model is.
INCIDENTAL = {
    "_name_or_path",
    "_model_name_or_path",
    "dtype",
    "torch_dtype",
    "transformers_version",
    "use_cache",
}


def describe(base_id: str, base_dir: Path, revision: str | None = None) -> BaseRef:
    """Describe a base model for a manifest.

    Args:
        base_id: How people call it: catalogue name, Hub id or directory.
        base_dir: Its directory, as `basemodels.resolve` gives it.
        revision: Of the Hub; `None` is that of the snapshot that `base_dir` is, if it is one.

    Raises:
        BaseModelError: `config.json` or a tokenizer file cannot be read.
    """
    return BaseRef(
        id=base_id,
        revision=revision or _revision(base_dir),
        config_sha256=config_sha256(base_dir),
        tokenizer_sha256=tokenizer_sha256(base_dir),
    )


def _revision(base_dir: Path) -> str | None:
    """The commit of a snapshot in the Hub's cache; no other directory says its own."""
    place = base_dir.resolve()
    is_snapshot = place.parent.name == "snapshots" and COMMIT.fullmatch(place.name)
    return place.name if is_snapshot else None


def config_sha256(base_dir: Path) -> str:
    """Digest of a base model's configuration, whatever its formatting.

    Raises:
        BaseModelError: `config.json` cannot be read.
    """
    config = {key: value for key, value in read_config(base_dir).items() if key not in INCIDENTAL}
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()


def tokenizer_sha256(base_dir: Path) -> str:
    """Digest of the files that turn text into token ids.

    Raises:
        BaseModelError: A file cannot be read.
    """
    hashed = hashlib.sha256()
    for name in TOKENIZER_FILES:
        path = base_dir / name
        if path.exists():
            hashed.update(f"{name} {hashlib.sha256(read_file(path)).hexdigest()}\n".encode())
    return hashed.hexdigest()


def read_file(path: Path) -> bytes:
    """Read a file of a base model; unlike an adapter's, it may be a link into a cache.

    Raises:
        BaseModelError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise BaseModelError(
            f"Cannot read the base model's {path} ({error.strerror}). Expected a plain file. "
            "Check its mode and the disk, or fetch the base again."
        ) from error


def is_called(base_dir: Path, claim: str) -> bool:
    """Whether a base may be meant by what an adapter says it was made for.

    A directory that moved keeps its last name; a catalogued model has a name and a Hub id.
    """
    claimed = _names(claim)
    if not claimed.isdisjoint(_names(str(base_dir)) | _names(str(base_dir.resolve()))):
        return True
    digest = config_sha256(base_dir)
    places = [Path(claim), *(cache_root() / name for name in claimed & CATALOGUE.keys())]
    return any(_claimed_sha256(place) == digest for place in places)


def _names(claim: str) -> set[str]:
    """What a catalogue name, a Hub id or a directory is called, without owner and place."""
    parts = [part for part in claim.replace("\\", "/").casefold().split("/") if part]
    # The Hub's cache: models--owner--name/snapshots/<revision>
    cached = [part.split("--")[-1] for part in parts if part.startswith("models--")]
    names = set(cached or parts[-1:])
    if len(parts) == 2 and claim.count("/") == 1:
        # A Hub id may say which revision: owner/name@main
        names |= {parts[1].partition("@")[0]}
    for entry in CATALOGUE.values():
        both = {entry.name.casefold(), entry.hub_id.rsplit("/", 1)[-1].casefold()}
        names |= both if names & both else set()
    return names


def _claimed_sha256(place: Path) -> str | None:
    """The digest of the configuration at a place that an adapter names, if there is one."""
    path = place / "config.json"
    try:
        if not path.is_file() or path.stat().st_size > MAX_CONFIG_BYTES:
            return None
        return config_sha256(place)
    except (BaseModelError, OSError, RecursionError):
        return None
