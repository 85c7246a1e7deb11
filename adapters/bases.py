"""Which base model an adapter was made for, and whether a directory holds that one.

Digests are over what changes the meaning of weights and text, so that saving a base again with
another library version does not orphan its adapters.
"""

import hashlib
import json
from pathlib import Path

from adapters.layout import TOKENIZER_FILES
from adapters.manifest import BaseRef
from basemodels import BaseModelError
from basemodels.catalogue import CATALOGUE
from basemodels.modules import read_config

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
        revision: Of the Hub, if known.

    Raises:
        BaseModelError: `config.json` or a tokenizer file cannot be read.
    """
    return BaseRef(
        id=base_id,
        revision=revision,
        config_sha256=config_sha256(base_dir),
        tokenizer_sha256=tokenizer_sha256(base_dir),
    )


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
    known = {name.casefold() for name in _names(base_dir)}
    if claim.casefold() in known or _last(claim) in {_last(name) for name in known}:
        return True
    elsewhere = Path(claim).expanduser()
    if not (elsewhere / "config.json").is_file():
        return False
    return config_sha256(elsewhere) == config_sha256(base_dir)


def _names(base_dir: Path) -> set[str]:
    path = base_dir.resolve()
    names = {str(path), str(base_dir)}
    for entry in CATALOGUE.values():
        if path.name.casefold() in {entry.name, _last(entry.hub_id)}:
            names |= {entry.name, entry.hub_id}
    for part in path.parts:
        # The Hub's cache: models--owner--name/snapshots/<revision>
        if part.startswith("models--"):
            names.add(part.removeprefix("models--").replace("--", "/", 1))
    return names


def _last(name: str) -> str:
    return name.rstrip("/").rsplit("/", 1)[-1].casefold()
