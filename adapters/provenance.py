"""Whether what a manifest says about an adapter agrees with its files and with the base model."""

from pathlib import Path

from adapters import bases
from adapters.findings import Findings, shown
from adapters.layout import MANIFEST
from adapters.manifest import Draft, LoraFacts
from adapters.peftconfig import PeftConfig


def check(draft: Draft, config: PeftConfig | None, base_dir: Path, findings: Findings) -> None:
    """Compare a draft, or a manifest, with the configuration and the base model.

    Raises:
        BaseModelError: The base model's own configuration cannot be read.
    """
    if config is not None:
        _check_lora(draft.lora, facts(config), findings)
    here = bases.describe(draft.base.id, base_dir)
    for code, what, found, expected in (
        ("base_config_differs", "config.json", draft.base.config_sha256, here.config_sha256),
        ("tokenizer_differs", "tokenizer", draft.base.tokenizer_sha256, here.tokenizer_sha256),
    ):
        if found != expected:
            findings.add(
                code,
                MANIFEST,
                f"It was made on a base ({shown(draft.base.id)}) whose {what} has the digest "
                f"{found[:16]}, that of {shown(str(base_dir))} is {expected[:16]}. Serve it on the "
                "base it was made on, or train it anew.",
            )


def facts(config: PeftConfig) -> LoraFacts:
    """The part of a configuration that a manifest repeats."""
    return LoraFacts(
        rank=config.rank,
        alpha=config.alpha,
        targets=sorted(config.targets),
        rslora=config.rslora,
    )


def _check_lora(said: LoraFacts, found: LoraFacts, findings: Findings) -> None:
    for key, value in found.model_dump().items():
        claim = getattr(said, key)
        if (sorted(set(claim)) if key == "targets" else claim) != value:
            findings.add(
                "manifest_disagrees",
                MANIFEST,
                f"It says {key} {shown(claim)}, adapter_config.json says {shown(value)}. Publish "
                "with what was trained.",
            )
