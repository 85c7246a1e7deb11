"""What a manifest says about an adapter is compared with its files and with the base model."""

from pathlib import Path

import pytest

from adapters import bases, peftconfig, provenance
from adapters.findings import Findings
from adapters.manifest import Draft, LoraFacts
from adapters.peftconfig import PeftConfig
from tests.adapters.making import Adapter, make_base

CONFIG = PeftConfig(rank=4, alpha=8.0, targets=frozenset({"q_proj", "k_proj"}), rslora=True)
FACTS = LoraFacts(rank=4, alpha=8.0, targets=["k_proj", "q_proj"], rslora=True)


def look(draft: Draft, config: peftconfig.PeftConfig | None, base: Path) -> list[str]:
    findings = Findings()
    provenance.check(draft, config, base, findings)
    return [str(finding) for finding in findings.all()]


@pytest.fixture
def draft(adapter: Adapter) -> Draft:
    return adapter.draft().model_copy(update={"lora": FACTS})


def test_a_configuration_has_the_facts_that_a_manifest_repeats() -> None:
    assert provenance.facts(CONFIG) == FACTS
    assert provenance.facts(PeftConfig(rank=1, alpha=2.0, targets=frozenset())) == LoraFacts(
        rank=1, alpha=2.0, targets=[], rslora=False
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"targets": ["q_proj", "k_proj", "q_proj"]}, []),
        ({"rank": 8}, ["It says rank 8, adapter_config.json says 4"]),
        ({"alpha": 8.5}, ["It says alpha 8.5, adapter_config.json says 8.0"]),
        ({"rslora": False}, ["It says rslora False, adapter_config.json says True"]),
        (
            {"targets": ["q_proj"], "rank": 1},
            [
                "It says rank 1, adapter_config.json says 4",
                "It says targets ['q_proj'], adapter_config.json says ['k_proj', 'q_proj']",
            ],
        ),
    ],
    ids=str,
)
def test_what_disagrees_is_named(
    changes: dict[str, object], said: list[str], draft: Draft, base: Path
) -> None:
    changed = draft.model_copy(update={"lora": FACTS.model_copy(update=changes)})
    assert look(changed, CONFIG, base) == [
        f"[manifest_disagrees] in manifest.json: {text}. Publish with what was trained."
        for text in said
    ]
    assert look(changed, None, base) == []


def test_another_base_is_named_by_its_digests(draft: Draft, base: Path, tmp_path: Path) -> None:
    other = make_base(tmp_path / "other", rope_theta=5.0)
    (other / "tokenizer.json").write_text("{}")
    here = bases.describe("other", other)
    end = "Serve it on the base it was made on, or train it anew."
    assert look(draft, CONFIG, other) == [
        f"[{code}] in manifest.json: It was made on a base ('{base}') whose {what} has the digest "
        f"{made[:16]}, that of '{other}' is {found[:16]}. {end}"
        for code, what, made, found in (
            ("base_config_differs", "config.json", draft.base.config_sha256, here.config_sha256),
            ("tokenizer_differs", "tokenizer", draft.base.tokenizer_sha256, here.tokenizer_sha256),
        )
    ]
