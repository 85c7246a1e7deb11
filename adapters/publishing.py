"""Publish: copy into a staging directory, pass the gate there, become a version by one rename.

Killed at any step, the store holds the old versions, or those and the whole new one.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from adapters import disk, gate, kinds, records, staging, tensors
from adapters.errors import AdapterRefused
from adapters.findings import Finding, Findings
from adapters.layout import MANIFEST, Home, max_bytes
from adapters.manifest import Draft, FileDigest, Manifest, content_sha256
from adapters.versions import Version
from basemodels.modules import linear_shapes


def publish(
    home: Home, source: Path, draft: Draft, *, base_dir: Path, max_rank: int, timeout_s: float
) -> Version:
    """Make an adapter the next version of `home`, which it was even if gc takes it at once.

    What is checked is the copy, so nobody can change it between check and publish.

    Raises:
        AdapterRefused: The gate found something.
        StoreWriteFailed: The disk refused; the store is as it was.
        StoreBusy: Another writer held the lock too long.
        BaseModelError: The base model cannot be read.
    """
    limit_bytes = tensors.max_weights_bytes(linear_shapes(base_dir), max_rank)
    findings = Findings()
    names = [name for name in kinds.check(source, limit_bytes, findings) if name != MANIFEST]
    _refuse_if(findings.all(), source)
    with disk.reported(f"Publishing {home.name}"), staging.stage(home) as stage:
        files = {name: _copy(source / name, stage / name, limit_bytes) for name in names}
        found = gate.check(stage, base_dir, max_rank=max_rank)
        _refuse_if(found + gate.check_draft(draft, stage, base_dir), source)
        with disk.locked(home.lock, timeout_s):
            return _commit(home, stage, draft, files)


def next_number(home: Home, state: records.State) -> int:
    """The number the next version gets; above all that were ever seen."""
    return max([state.next_version, *(number + 1 for number in home.numbers_on_disk())])


def _refuse_if(findings: list[Finding], source: Path) -> None:
    if findings:
        raise AdapterRefused(f"The adapter in {source}", findings)


def _copy(source: Path, target: Path, weights_bytes: int) -> FileDigest:
    limit_bytes = max_bytes(source.name, weights_bytes) or 0
    sha256, size_bytes = disk.copy_new(source, target, limit_bytes)
    return FileDigest(sha256=sha256, size_bytes=size_bytes)


def _commit(home: Home, stage: Path, draft: Draft, files: dict[str, FileDigest]) -> Version:
    """Give the number, write the manifest last, rename; the caller has the lock."""
    state = records.load(home)
    number = next_number(home, state)
    manifest = Manifest(
        **{key: getattr(draft, key) for key in Draft.model_fields},
        name=home.name,
        version=number,
        created=datetime.now(UTC),
        files=files,
        content_sha256=content_sha256(files),
    )
    raw = manifest.model_dump_json(indent=2).encode() + b"\n"
    disk.write_new(stage / MANIFEST, raw)
    disk.sync_directory(stage)
    # The state comes first: a number that was given and not used is lost, never given again.
    state.next_version = number + 1
    state.manifests[number] = hashlib.sha256(raw).hexdigest()
    records.save(home, state)
    disk.make_directory(home.versions)
    disk.move(stage, home.version(number))
    return Version(home.name, number, home.version(number), manifest)
