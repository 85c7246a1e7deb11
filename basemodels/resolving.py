"""From what a person types for a base model to a directory with weights and a tokenizer."""

import contextlib
import os
from pathlib import Path

import platformdirs

from basemodels.catalogue import CATALOGUE
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


def _find(base: str) -> Path:
    if base in CATALOGUE:
        directory = cache_root() / base
        if not directory.is_dir():
            raise BaseModelError(
                f"The base model {base!r} has not been fetched; {directory} does not exist. "
                f"Run `python -m basemodels fetch {base}`."
            )
        return directory
    local = Path(base)
    with contextlib.suppress(RuntimeError):
        # An adapter may name the home of somebody who is not known here.
        local = local.expanduser()
    if local.is_dir():
        return local.resolve()
    for entry in CATALOGUE.values():
        fetched = cache_root() / entry.name
        if entry.hub_id == base and fetched.is_dir():
            return fetched
    if base.count("/") == 1 and not base.startswith((".", "/", "~")):
        return _from_hub(base)
    raise BaseModelError(
        f"There is no base model {base!r}. Expected one of {', '.join(CATALOGUE)}, an existing "
        "directory, or a Hub id such as Qwen/Qwen2.5-0.5B-Instruct. `python -m basemodels list` "
        "shows what is known."
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
