"""Which files are there and of what kind; what is said about a directory that is none."""

from pathlib import Path

from adapters import kinds, layout
from adapters.findings import Findings

WEIGHTS_BYTES = 1000


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
    assert said.startswith("[too_many_files]: The directory holds more than 64 entries.")


def test_a_file_may_have_as_many_bytes_as_its_kind_allows(tmp_path: Path) -> None:
    directory = filled(tmp_path / "large")
    (directory / layout.WEIGHTS).write_bytes(b"x" * WEIGHTS_BYTES)
    assert look(directory)[1] == []
    (directory / layout.WEIGHTS).write_bytes(b"x" * (WEIGHTS_BYTES + 1))
    (said,) = look(directory)[1]
    assert said.startswith("[file_too_large] in adapter_model.safetensors: It has 1001 bytes")


def test_only_what_must_hold_something_may_not_be_empty(tmp_path: Path) -> None:
    directory = filled(tmp_path / "bare", layout.CARD)
    (directory / layout.CARD).write_bytes(b"")
    assert look(directory)[1] == []
    (directory / layout.MANIFEST).write_bytes(b"")
    (said,) = look(directory)[1]
    assert said == "[file_empty] in manifest.json: It has zero bytes. Save the adapter again."
