"""The gate: what every adapter must pass before training, at publish and at load.

Nothing is executed or unpickled, and neither torch nor vllm is needed. Order: kinds of files,
configuration, our own reading of the safetensors header, shapes, values, manifest.
"""

import json
from pathlib import Path

from adapters import (
    disk,
    header,
    integrity,
    kinds,
    peftconfig,
    provenance,
    rules,
    tensors,
    vocabulary,
)
from adapters.findings import Finding, Findings
from adapters.layout import CONFIG, MANIFEST, MAX_BYTES, WEIGHTS
from adapters.manifest import Draft, LoraFacts
from adapters.peftconfig import PeftConfig
from basemodels.modules import linear_shapes

Shapes = dict[str, tuple[int, int]]

MAX_RANK = 256


def check(directory: Path, base_dir: Path, *, max_rank: int = MAX_RANK) -> list[Finding]:
    """Say everything that speaks against docking an adapter on a base model.

    Values are looked at only when names and shapes are right. If the directory has a manifest
    (that of a version in a store, or exported from one), its digests and base count too.

    Args:
        directory: A PEFT directory or a version.
        base_dir: The base model.
        max_rank: The highest rank the engine accepts.

    Raises:
        BaseModelError: The base model's own configuration cannot be read.
    """
    findings = Findings()
    shapes = linear_shapes(base_dir)
    limit_bytes = tensors.max_weights_bytes(shapes, max_rank)
    files = kinds.check(directory, limit_bytes, findings)
    config = _read_config(directory, files, findings)
    if config is not None:
        rules.check(config, shapes, max_rank, findings)
    if WEIGHTS in files:
        _check_weights(directory / WEIGHTS, config, shapes, findings)
    vocabulary.check(directory, files, base_dir, findings)
    vouched = MANIFEST in files and _check_manifest(directory, files, config, base_dir, findings)
    if config is not None and not vouched:
        rules.check_base(config, base_dir, findings)
    return findings.all()


def check_lora(lora: LoraFacts, base_dir: Path, *, max_rank: int = MAX_RANK) -> list[Finding]:
    """Say what speaks against a LoRA before it is trained.

    Args:
        lora: What is about to be trained.
        base_dir: The base model.
        max_rank: The highest rank the engine accepts.

    Raises:
        BaseModelError: The base model's own configuration cannot be read.
    """
    findings = Findings()
    options = {
        "r": lora.rank,
        "lora_alpha": lora.alpha,
        "target_modules": lora.targets,
        "use_rslora": lora.rslora,
    }
    config = peftconfig.read(json.dumps(options).encode(), findings)
    if config is not None:
        rules.check_numbers(config, max_rank, findings)
        rules.check_targets(config, linear_shapes(base_dir), findings)
    return findings.all()


def check_draft(draft: Draft, directory: Path, base_dir: Path) -> list[Finding]:
    """Say where a draft disagrees with the adapter in `directory` or with the base model.

    Raises:
        BaseModelError: The base model's own configuration cannot be read.
    """
    findings = Findings()
    config = _read_config(directory, [CONFIG], Findings())
    provenance.check(draft, config, base_dir, findings)
    return findings.all()


def _read_config(directory: Path, files: list[str], findings: Findings) -> PeftConfig | None:
    if CONFIG not in files:
        return None
    try:
        raw = disk.read(directory / CONFIG, MAX_BYTES[CONFIG])
    except OSError as error:
        findings.unreadable(CONFIG, error)
        return None
    return peftconfig.read(raw, findings)


def _check_manifest(
    directory: Path,
    files: list[str],
    config: PeftConfig | None,
    base_dir: Path,
    findings: Findings,
) -> bool:
    """Whether the manifest vouches for every file and, by digest, for the base model."""
    before = len(findings)
    manifest = integrity.check(directory, files, findings)
    if manifest is not None:
        provenance.check(manifest, config, base_dir, findings)
    return len(findings) == before


def _check_weights(
    path: Path, config: PeftConfig | None, shapes: Shapes, findings: Findings
) -> None:
    # numpy takes longer to import than a thousand versions to list, which needs none.
    from adapters import values  # noqa: PLC0415

    try:
        with disk.reading(path) as descriptor:
            found = header.read(descriptor, WEIGHTS, findings)
            if found is None or config is None:
                return
            modules = tensors.check(found, config, shapes, findings)
            if modules is not None:
                values.check(descriptor, modules, config, findings)
    except OSError as error:
        findings.unreadable(WEIGHTS, error)
