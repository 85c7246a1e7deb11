"""The first gate: which files are there, and of what kind. Opens nothing but the directory."""

import itertools
import os
import stat
from pathlib import Path

from adapters import layout
from adapters.findings import Findings, shown

PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz", ".dill")


def check(directory: Path, weights_bytes: int, findings: Findings) -> list[str]:
    """Return the names of the files that may be opened.

    Args:
        directory: The adapter.
        weights_bytes: The largest weights that the base model has room for.
        findings: Gets what is wrong with the others.
    """
    entries = _entries(directory, findings)
    good = [
        entry.name
        for entry in entries
        if _is_good(entry, layout.max_bytes(entry.name, weights_bytes), findings)
    ]
    present = {entry.name for entry in entries}
    for name in (layout.CONFIG, layout.WEIGHTS):
        if entries and name not in present:
            findings.add(
                "file_missing",
                name,
                f"An adapter consists of {layout.CONFIG} and {layout.WEIGHTS}; {name} is not "
                "there. Save the adapter with PEFT's save_pretrained in safetensors form.",
            )
    return good


def _entries(directory: Path, findings: Findings) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as scan:
            entries = list(itertools.islice(scan, layout.MAX_FILES + 1))
    except OSError as error:
        findings.add(
            "directory_missing",
            None,
            f"Cannot list {shown(str(directory))} ({error.strerror}). Expected a directory with "
            f"{layout.CONFIG} and {layout.WEIGHTS}. Check the path.",
        )
        return []
    if len(entries) > layout.MAX_FILES:
        findings.add(
            "too_many_files",
            None,
            f"The directory holds more than {layout.MAX_FILES} entries. Leave only the files of "
            "one adapter in it.",
        )
        return []
    if not entries:
        findings.add("file_missing", None, "The directory is empty. Expected an adapter.")
    return sorted(entries, key=lambda entry: entry.name)


def _is_good(entry: os.DirEntry[str], limit_bytes: int | None, findings: Findings) -> bool:
    problem = _problem(entry, limit_bytes)
    if problem is None:
        return True
    code, message = problem
    findings.add(code, shown(entry.name).strip("'\""), message)
    return False


def _problem(entry: os.DirEntry[str], limit_bytes: int | None) -> tuple[str, str] | None:
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        return "file_is_link", "It is a symbolic link. Put a copy of the file in its place."
    if stat.S_ISDIR(status.st_mode):
        return "directory_not_allowed", "It is a directory; an adapter is flat. Remove it."
    if not stat.S_ISREG(status.st_mode):
        return "file_not_regular", "It is a FIFO, socket or device, expected a file. Remove it."
    if status.st_nlink > 1:
        return (
            "file_is_hard_linked",
            f"The file has {status.st_nlink} names, so it can change behind the store's back. "
            "Put a copy in its place.",
        )
    if entry.name.endswith(PICKLES):
        return (
            "pickle_file",
            "Such files run code when they are read. Remove it, or save weights as safetensors.",
        )
    if limit_bytes is None:
        return "file_not_allowed", "It is not part of an adapter. Remove it."
    if status.st_size == 0 and entry.name in (layout.CONFIG, layout.WEIGHTS, layout.MANIFEST):
        return "file_empty", "It has zero bytes. Save the adapter again."
    if status.st_size > limit_bytes:
        return (
            "file_too_large",
            f"It has {status.st_size} bytes, expected at most {limit_bytes}. "
            "Check that it belongs to this adapter and base model.",
        )
    return None
