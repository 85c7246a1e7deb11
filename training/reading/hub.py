"""A dataset of the Hugging Face Hub, by its id: the files it consists of, on this machine.

Only data files are fetched; code in a dataset is never run.
"""

import re
from pathlib import Path

from training.errors import RowsRefused

SUFFIXES = (".csv", ".tsv", ".jsonl", ".json", ".parquet")
_ID = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(:(?P<file>[^:]+))?")
_METADATA = {"dataset_infos.json", "dataset_info.json"}


def looks_like_id(path: Path) -> bool:
    """Whether something that is no file may be meant as `owner/name` or `owner/name:file`."""
    text = path.as_posix()
    return bool(_ID.fullmatch(text)) and Path(text.split(":")[0]).suffix not in SUFFIXES


def find_files(text: str) -> list[Path]:
    """Fetch a dataset, or find it in the local cache where the Hub cannot be reached.

    Args:
        text: `owner/name`, or `owner/name:train.csv` for one of several files.

    Returns:
        One file, or the shards of one split in order.

    Raises:
        RowsRefused: It is not there, cannot be fetched, or does not say which file is meant.
    """
    match = _ID.fullmatch(text)
    if match is None:
        raise RowsRefused(f"{text!r} is no dataset id, expected owner/name or owner/name:file.")
    root = _snapshot(match["name"])
    files = sorted(
        path
        for path in root.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.name not in _METADATA
    )
    if match["file"]:
        chosen = [path for path in files if path.relative_to(root).as_posix() == match["file"]]
    else:
        chosen = [path for path in files if "train" in path.stem] or files
    if chosen and (len(chosen) == 1 or all(path.suffix == ".parquet" for path in chosen)):
        return chosen
    there = ", ".join(path.relative_to(root).as_posix() for path in files[:20]) or "none"
    raise RowsRefused(
        f"The dataset {match['name']} does not say which file is meant by {text!r}; its data files: "
        f"{there}. Expected one. Name it as {match['name']}:FILE."
    )


def _snapshot(name: str) -> Path:
    # Half a second, which no local file needs.
    from huggingface_hub import snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import (  # noqa: PLC0415
        HfHubHTTPError,
        LocalEntryNotFoundError,
    )

    try:
        return Path(
            snapshot_download(
                name, repo_type="dataset", allow_patterns=[f"*{suffix}" for suffix in SUFFIXES]
            )
        )
    except LocalEntryNotFoundError as error:
        raise RowsRefused(
            f"Cannot read rows from {name}: there is no such file, and as a dataset of the Hub it "
            "is not in the local cache, while the Hub cannot be reached. Expected a file, or a "
            "dataset fetched before. Check the path, or fetch it with "
            f"`hf download --repo-type dataset {name}` on a machine with access."
        ) from error
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise RowsRefused(
            f"Cannot read rows from {name}: there is no such file, and the Hub says: {error}. "
            "Check the path or the id."
        ) from error
