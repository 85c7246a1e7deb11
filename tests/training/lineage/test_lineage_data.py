"""The lineages that are shipped: whole, many, and in accord with a list of optimisers kept elsewhere."""

import os
import re
from pathlib import Path

import pytest

from training.lineage.graph import chains
from training.lineage.loading import load
from training.lineage.measuring import is_executable, program_of
from training.lineage.programs.families import FAMILIES

ASKED_FOR = {
    "optimisers",
    "attention",
    "sorting",
    "string-matching",
    "shortest-path",
    "maximum-flow",
    "matrix-multiplication",
    "primality",
    "hashing",
    "caches",
    "consensus",
    "garbage-collection",
    "compression",
    "satisfiability",
    "bandits",
    "tree-search",
    "convolutional-networks",
    "generative-images",
    "normalisation",
    "low-rank-adaptation",
    "storage-trees",
}
SHARED = Path(os.environ.get("LORADOCK_SHARED_DATA", Path(__file__).parents[4] / "shared/data"))


def test_there_are_enough_lineages_and_algorithms_and_all_are_without_mistakes() -> None:
    lineages = load()
    assert len(lineages) >= 25
    assert sum(len(lineage.nodes) for lineage in lineages) >= 110
    assert {lineage.id for lineage in lineages} >= ASKED_FOR


def test_every_lineage_has_a_chain_of_three() -> None:
    for lineage in load():
        assert max(len(chain.nodes) for chain in chains(lineage)) >= 3, lineage.id


def test_at_least_ten_lineages_can_be_run_from_end_to_end() -> None:
    runnable = [lineage for lineage in load() if is_executable(lineage)]
    assert len(runnable) >= 10
    for lineage in runnable:
        for node in lineage.nodes:
            family, entry = program_of(node)
            assert entry in family.entries


def test_every_program_belongs_to_a_lineage() -> None:
    named = {
        (node.program.family, node.program.entry)
        for lineage in load()
        for node in lineage.nodes
        if node.program is not None
    }
    assert named == {(name, entry) for name, family in FAMILIES.items() for entry in family.entries}


def test_a_file_is_named_after_its_lineage() -> None:
    folder = Path(__file__).parents[3] / "training" / "lineage" / "chains"
    assert {path.stem for path in folder.glob("*.yaml")} == {lineage.id for lineage in load()}


def test_identifiers_of_optimisers_agree_with_the_list() -> None:
    listing = SHARED / "optimizer_lineage" / "README.md"
    if not listing.exists():
        pytest.skip(f"{listing} is not there; set LORADOCK_SHARED_DATA to the folder of data sets")
    text = listing.read_text(encoding="utf-8")
    rows = re.findall(r"\*([^|*]+)\*[^\n]*arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5})", text)
    known = {_plain(title): f"arXiv:{identifier}" for title, identifier in rows}
    agreed = set()
    for source in [node.source for lineage in load() for node in lineage.nodes]:
        for title in known:
            if title and title in _plain(source.title):
                assert source.id == known[title], source
                agreed.add(title)
    assert len(agreed) >= 3


def _plain(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", title.lower()).strip()
