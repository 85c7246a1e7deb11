"""Export: a plain PEFT directory, or a tar of one, that PEFT, vLLM and others load."""

import contextlib
from pathlib import Path

from adapters import archives, disk
from adapters.errors import ExportRefused, VersionDamaged
from adapters.layout import MANIFEST
from adapters.store import Store, Version


def export(store: Store, version: Version, target: Path) -> Path:
    """Copy a version out of the store, manifest included, so that it can be imported elsewhere.

    Args:
        store: The store.
        version: What to copy.
        target: Must not exist; a name that ends in `.tar` becomes a tar file.

    Raises:
        ExportRefused: The target exists or its parent does not.
        VersionDamaged: A file is not what was published.
        UnknownAdapter: The version was removed meanwhile.
        StoreWriteFailed: The disk refused; the target does not exist.
    """
    if target.exists() or target.is_symlink() or not target.parent.is_dir():
        raise ExportRefused(
            f"{version} cannot be exported to {target}: it exists, or its directory does not. "
            "Expected a new name in an existing directory. Choose one."
        )
    with (
        disk.reported(f"Exporting {version}"),
        store.hold(version.name, version.number, who="export"),
    ):
        _require_unchanged(version)
        if target.suffix == ".tar":
            seconds = version.manifest.created.timestamp()
            with archives.packing(target) as pack:
                for name in [*version.manifest.files, MANIFEST]:
                    pack(version.path / name, f"{version.name}/{name}", seconds)
        else:
            _copy(version, target)
    return target


def _require_unchanged(version: Version) -> None:
    for name, expected in version.manifest.files.items():
        try:
            sha256, _ = disk.digest(version.path / name)
        except OSError as error:
            sha256 = str(error.strerror)
        if sha256 != expected.sha256:
            raise VersionDamaged(
                f"{version} is not exported: {name} has sha256 {sha256}, expected "
                f"{expected.sha256}. Run `python -m adapters fsck` and export another version."
            )


def _copy(version: Version, target: Path) -> None:
    target.mkdir()
    try:
        for name in [*version.manifest.files, MANIFEST]:
            size_bytes = (version.path / name).stat().st_size
            disk.copy_new(version.path / name, target / name, size_bytes)
    except OSError:
        with contextlib.suppress(OSError):
            disk.remove_flat(target)
        raise
    disk.sync_directory(target)
    disk.sync_directory(target.parent)
