"""Which files are there and of what kind; what is said about a directory that is none."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters import kinds, layout
from adapters.findings import Finding, Findings

WEIGHTS_BYTES = 1000


def hard_linked(path: Path) -> None:
    path.write_bytes(b"x")
    path.with_name("card.png").hardlink_to(path)


LINK = "It is a symbolic link. Put a copy of the file in its place."
PICKLE = "Such files run code when they are read. Remove it, or save weights as safetensors."
NAMES = "The file has 2 names, so it can change behind the store's back. Put a copy in its place."
STRANGER = "It is not part of an adapter. Remove it."
WRONG: list[tuple[str, Callable[[Path], object], str, str]] = [
    ("a.png", lambda path: path.symlink_to("/dev/null"), "file_is_link", LINK),
    ("b.png", lambda path: path.symlink_to("/nowhere"), "file_is_link", LINK),
    ("c.png", Path.mkdir, "directory_not_allowed", "It is a directory; an adapter is flat. Remove it."),
    ("d.png", os.mkfifo, "file_not_regular", "It is a FIFO, socket or device, expected a file. Remove it."),
    ("README.md", hard_linked, "file_is_hard_linked", NAMES),
    ("e.joblib", Path.touch, "pickle_file", PICKLE),
    ("script.py", Path.touch, "file_not_allowed", STRANGER),
    ("Xscript.pyX", Path.touch, "file_not_allowed", STRANGER),
]  # fmt: skip


@pytest.mark.parametrize(("name", "make", "code", "message"), WRONG)
def test_each_kind_of_file_that_is_not_opened_is_named(
    name: str, make: Callable[[Path], object], code: str, message: str, tmp_path: Path
) -> None:
    directory = filled(tmp_path / "adapter")
    make(directory / name)
    findings = Findings()
    assert kinds.check(directory, WEIGHTS_BYTES, findings) == [layout.CONFIG, layout.WEIGHTS]
    assert Finding(code, message, name) in findings.all()


@pytest.mark.parametrize("name", [layout.CONFIG, layout.WEIGHTS])
def test_a_file_that_every_adapter_has_is_missed(name: str, tmp_path: Path) -> None:
    directory = filled(tmp_path / "adapter")
    (directory / name).unlink()
    assert look(directory)[1] == [
        f"[file_missing] in {name}: An adapter consists of adapter_config.json and "
        f"adapter_model.safetensors; {name} is not there. Save the adapter with PEFT's "
        "save_pretrained in safetensors form."
    ]


def look(directory: Path) -> tuple[list[str], list[str]]:
    """The files that may be opened, and what is said about the others."""
    findings = Findings()
    good = kinds.check(directory, WEIGHTS_BYTES, findings)
    return good, [str(finding) for finding in findings.all()]


def filled(directory: Path, *names: str) -> Path:
    directory.mkdir()
    for name in (layout.CONFIG, layout.WEIGHTS, *names):
        (directory / name).write_bytes(b"x")
    return directory


def test_a_place_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for name, reason in (("nothing", "No such file or directory"), ("file", "Not a directory")):
        assert look(tmp_path / name) == (
            [],
            [
                f"[directory_missing]: Cannot list '{tmp_path / name}' ({reason}). Expected a "
                "directory with adapter_config.json and adapter_model.safetensors. Check the path."
            ],
        )


def test_an_empty_directory_is_said_to_be_empty(tmp_path: Path) -> None:
    said = "[file_missing]: The directory is empty. Expected an adapter."
    assert look(tmp_path) == ([], [said])


def test_as_many_files_as_an_adapter_has_are_looked_at(tmp_path: Path) -> None:
    plots = [f"{number:02}.png" for number in range(layout.MAX_FILES - 2)]
    directory = filled(tmp_path / "many", *plots)
    assert look(directory) == ([*plots, layout.CONFIG, layout.WEIGHTS], [])
    (directory / "one_more.png").write_bytes(b"x")
    (said,) = look(directory)[1]
    assert said == (
        "[too_many_files]: The directory holds more than 64 entries. Leave only the files of one "
        "adapter in it."
    )


def test_a_file_may_have_as_many_bytes_as_its_kind_allows(tmp_path: Path) -> None:
    directory = filled(tmp_path / "large")
    (directory / layout.WEIGHTS).write_bytes(b"x" * WEIGHTS_BYTES)
    assert look(directory)[1] == []
    (directory / layout.WEIGHTS).write_bytes(b"x" * (WEIGHTS_BYTES + 1))
    (said,) = look(directory)[1]
    assert said == (
        "[file_too_large] in adapter_model.safetensors: It has 1001 bytes, expected at most 1000. "
        "Check that it belongs to this adapter and base model."
    )


def test_only_what_must_hold_something_may_not_be_empty(tmp_path: Path) -> None:
    directory = filled(tmp_path / "bare", layout.CARD)
    (directory / layout.CARD).write_bytes(b"")
    assert look(directory)[1] == []
    (directory / layout.MANIFEST).write_bytes(b"")
    (said,) = look(directory)[1]
    assert said == "[file_empty] in manifest.json: It has zero bytes. Save the adapter again."


def test_no_more_is_listed_than_an_adapter_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory may hold more names than memory."""
    directory = filled(tmp_path / "adapter")
    real = os.scandir

    @contextlib.contextmanager
    def endless(path: Path) -> Iterator[Iterator[os.DirEntry[str]]]:
        with real(path) as scan:
            entry = next(scan)
            yield (entry if n <= layout.MAX_FILES else pytest.fail("read on") for n in range(99))

    monkeypatch.setattr(os, "scandir", endless)
    (said,) = look(directory)[1]
    assert said.startswith("[too_many_files]")
