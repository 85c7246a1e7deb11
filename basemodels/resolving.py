"""From what a person types for a base model to a directory with weights and a tokenizer."""

import contextlib
import os
from pathlib import Path

import platformdirs

from basemodels.catalogue import CATALOGUE, CatalogueEntry
from basemodels.errors import BaseModelError

HUB_FILES = ["*.json", "*.safetensors", "*.jinja", "tokenizer.model", "merges.txt", "vocab.txt"]


def cache_root() -> Path:
    """Where fetched base models lie: `$LORADOCK_CACHE`, or the user's cache directory."""
    configured = os.environ.get("LORADOCK_CACHE")
    root = Path(configured) if configured else platformdirs.user_cache_path("loradock")
    return root / "bases"


def resolve(base: str) -> Path:
    """Find the directory of a base model.

    Args:
        base: A name of the catalogue, a local directory, or a Hub id (`owner/name`, optionally
            `owner/name@revision`), which is downloaded unless it is in the Hub's cache.

    Raises:
        BaseModelError: Nothing of that name exists, or what exists has no weights or tokenizer.
    """
    directory = _find(base)
    missing = [
        what
        for what, patterns in {
            "config.json": ["config.json"],
            "weights (*.safetensors)": ["*.safetensors"],
            "a tokenizer (tokenizer.json or tokenizer.model)": [
                "tokenizer.json",
                "tokenizer.model",
            ],
        }.items()
        if not any(path for pattern in patterns for path in directory.glob(pattern))
    ]
    if missing:
        raise BaseModelError(
            f"The base model directory {directory} lacks {', '.join(missing)}. Expected a complete "
            "Hugging Face model directory in safetensors form. Copy the missing files there, or "
            f"use one of: {', '.join(CATALOGUE)}."
        )
    return directory


def find_entry(base: str) -> CatalogueEntry | None:
    """Return the entry of a catalogue name or Hub id, however its letters are written."""
    wanted = base.casefold()
    return next(
        (
            entry
            for entry in CATALOGUE.values()
            if wanted in (entry.name.casefold(), entry.hub_id.casefold())
        ),
        None,
    )


def local_directory(base: str) -> Path | None:
    """Return a directory that the user named, or None."""
    local = Path(base)
    with contextlib.suppress(RuntimeError):
        # An adapter may name the home of somebody who is not known here.
        local = local.expanduser()
    return local.resolve() if local.is_dir() else None


def cached_directory(base: str) -> Path | None:
    """Return where a model lies already, in our cache or the Hub's, or None. Downloads nothing."""
    entry = find_entry(base)
    if entry is not None and (cache_root() / entry.name).is_dir():
        return cache_root() / entry.name
    repository, _, revision = (entry.hub_id if entry else base).partition("@")
    # The Hub's client takes a second to import; where there is no cache there is nothing to ask.
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    cache = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    folder = cache / f"models--{repository.replace('/', '--')}"
    if not folder.is_dir():
        return None
    return _snapshot(folder, revision or "main")


def _snapshot(folder: Path, revision: str) -> Path | None:
    """Return the directory of a revision in the Hub's cache: a branch, or a commit itself."""
    reference = folder / "refs" / revision
    commit = reference.read_text(encoding="utf-8").strip() if reference.is_file() else revision
    snapshot = folder / "snapshots" / commit
    return snapshot if (snapshot / "config.json").is_file() else None


def _find(base: str) -> Path:
    local = local_directory(base)
    if local is not None and base not in CATALOGUE:
        return local
    entry = find_entry(base)
    if entry is not None:
        return _of_entry(entry)
    if base.count("/") == 1 and not base.startswith((".", "/", "~")):
        return _from_hub(base)
    raise BaseModelError(
        f"There is no base model {base!r}. Expected one of {', '.join(CATALOGUE)}, an existing "
        "directory, or a Hub id such as Qwen/Qwen2.5-0.5B-Instruct. `python -m basemodels list` "
        "shows what is known."
    )


def _of_entry(entry: CatalogueEntry) -> Path:
    directory = cached_directory(entry.name)
    if directory is not None:
        return directory
    if entry.embedded is None:
        return _from_hub(entry.hub_id)
    raise BaseModelError(
        f"The base model {entry.name!r} has not been fetched; {cache_root() / entry.name} does not "
        f"exist. Run `python -m basemodels fetch {entry.name}`."
    )


def _from_hub(base: str) -> Path:
    # Only a Hub id needs the Hub client; it takes a second to import.
    from huggingface_hub import snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    repository, _, revision = base.partition("@")
    try:
        return Path(
            snapshot_download(repository, revision=revision or None, allow_patterns=HUB_FILES)
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BaseModelError(
            f"Cannot get the base model {base!r} from the Hub ({reason}). Expected an existing "
            "`owner/name` and a network, or the model in the Hub's cache. Check the name, log in "
            "with `hf auth login` if it is gated, or give a local directory."
        ) from error
