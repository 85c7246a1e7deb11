"""Whether a published directory still holds the bytes that its manifest names."""

from pathlib import Path

from pydantic import ValidationError

from adapters import disk, jsondoc
from adapters.findings import Findings, shown
from adapters.layout import MANIFEST, MAX_BYTES
from adapters.manifest import Manifest, content_sha256, require_schema


def parse(raw: bytes) -> Manifest:
    """Read the bytes of a manifest.

    Raises:
        ValueError: They are not one; the message says why.
    """
    require_schema(jsondoc.parse(raw))
    try:
        manifest = Manifest.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if manifest.content_sha256 != content_sha256(manifest.files):
        raise ValueError("content_sha256 is not that of the files it lists")
    return manifest


def check(directory: Path, files: list[str], findings: Findings) -> Manifest | None:
    """Check a directory against the manifest in it.

    Args:
        directory: A version, or an exported one.
        files: The names that may be opened.
        findings: Gets what is wrong.

    Returns:
        The manifest, if it can be read.
    """
    try:
        manifest = parse(disk.read(directory / MANIFEST, MAX_BYTES[MANIFEST]))
    except OSError as error:
        findings.unreadable(MANIFEST, error)
        return None
    except ValueError as error:
        findings.add(
            "manifest_invalid",
            MANIFEST,
            f"It is not a manifest ({shown(str(error))}). Remove it to verify the adapter alone, "
            "or take the version from where it was published.",
        )
        return None
    check_files(manifest, directory, files, findings)
    return manifest


def check_files(manifest: Manifest, directory: Path, files: list[str], findings: Findings) -> None:
    """Compare every file with its digest."""
    for name in files:
        if name not in manifest.files and name != MANIFEST:
            findings.add(
                "file_not_published",
                name,
                "The manifest does not list it, so it was added later. Remove it.",
            )
    for name, expected in manifest.files.items():
        _check_file(directory / name, name in files, expected.sha256, findings)


def _check_file(path: Path, there: bool, expected: str, findings: Findings) -> None:
    found = "absent"
    if there:
        try:
            found, _ = disk.digest(path)
        except OSError as error:
            findings.unreadable(path.name, error)
            return
    if found != expected:
        findings.add(
            "file_changed",
            path.name,
            f"Its sha256 is {found[:16]}, expected {expected[:16]}: it is not what was published. "
            "Publish or import the adapter again; this copy is never docked.",
        )
