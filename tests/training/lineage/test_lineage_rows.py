"""Rows: what they ask, that they pass the data check, and that nothing after the cut-off is trained."""

import re
from pathlib import Path

import pytest

from pseudocode.evolution.screening import only_function
from pseudocode.evolution.wording import read_proposal
from training.lineage.loading import load
from training.lineage.measuring import program_of
from training.lineage.renaming import renamed_program
from training.lineage.rows import Options, Split, build
from training.lineage.stages import source_of
from training.lineage.writing import write_split
from training.rows import read_rows
from training.tasks import TASKS

CUTOFF = 2018
FEW = ["sorting", "optimisers", "subarrays", "normalisation", "hashing"]
LINEAGES = [lineage for lineage in load() if lineage.id in FEW]


@pytest.fixture(scope="module")
def split() -> Split:
    return build(LINEAGES, Options(cutoff_year=CUTOFF))


def test_every_kind_of_row_is_there(split: Split) -> None:
    assert {row.kind for row in split.train} == {
        "next",
        "next_by_weakness",
        "renamed",
        "ranking",
        "edge",
        "weakness",
        "judging",
        "program",
    }


def test_every_output_is_a_readable_proposal(split: Split) -> None:
    for row in [*split.train, *split.held_out]:
        assert read_proposal(row.output).pseudocode, row.output


def test_rows_pass_the_data_check_of_training(split: Split, tmp_path: Path) -> None:
    for path in write_split(split, tmp_path):
        sheet = read_rows(path, TASKS["evolution"], {})
        assert not sheet.problems
        assert len(sheet.rows) > 10
    assert {row.notes["kind"] for row in sheet.rows} >= {"next", "ranking"}


def test_nothing_younger_than_the_cut_off_is_named_in_training_rows(split: Split) -> None:
    young = [node.title for lineage in LINEAGES for node in lineage.nodes if node.year > CUTOFF]
    assert {"Lion", "RMSNorm", "Muon"} <= set(young)
    for row in split.train:
        for title in young:
            assert not re.search(rf"\d\. {re.escape(title)}\b", row.prompt)
            assert f"Algorithm: {title}\n" not in row.output
    assert {"Lion", "RMSNorm"} <= {read_proposal(row.output).name for row in split.held_out}


def test_no_prompt_is_in_both_parts_or_twice(split: Split) -> None:
    prompts = [row.prompt for row in [*split.train, *split.held_out]]
    assert len(prompts) == len(set(prompts))


def test_every_edge_and_every_prefix_is_asked_for(split: Split) -> None:
    everything = build(LINEAGES, Options()).train
    (sorting,) = [lineage for lineage in LINEAGES if lineage.id == "sorting"]
    nexts = [row for row in everything if row.group == "sorting" and row.kind == "next"]
    assert len(nexts) == len(sorting.edges) == 4
    assert sorted(row.prompt.count(" Ideas: ") for row in nexts) == [1, 2, 3, 4]


def test_the_same_seed_gives_the_same_rows_and_another_gives_others() -> None:
    assert build(LINEAGES, Options(seed=3)) == build(LINEAGES, Options(seed=3))
    assert build(LINEAGES, Options(seed=3)) != build(LINEAGES, Options(seed=4))


@pytest.mark.parametrize(("weight", "low", "high"), [(0.0, 0, 0), (2.0, 35, 60)])
def test_judging_rows_are_mixed_in_at_a_weight(weight: float, low: int, high: int) -> None:
    rows = build(LINEAGES, Options(judging_weight=weight)).train
    judged = [row for row in rows if row.kind == "judging"]
    assert low <= len(judged) <= high
    reasons = [read_proposal(row.output).reasons for row in judged]
    assert all(reason.startswith(("Yes.", "No. It answers:")) for reason in reasons)
    if judged:
        assert any(reason.startswith("Yes") for reason in reasons)
        assert any(reason.startswith("No") for reason in reasons)


def test_neighbours_are_older_and_of_other_lineages() -> None:
    rows = build(LINEAGES, Options(neighbours=2)).train
    prompt = next(row.prompt for row in rows if row.kind == "next" and row.group == "optimisers")
    assert prompt.count("Related: ") == 2
    related = [line[9:].partition(":")[0] for line in prompt.splitlines() if "Related: " in line]
    own = next(lineage for lineage in LINEAGES if lineage.id == "optimisers")
    titles = {node.title: node.year for lineage in LINEAGES for node in lineage.nodes}
    assert not {node.title for node in own.nodes} & set(related)
    assert all(titles[title] <= own.node("muon").year for title in related)
    plain = build(LINEAGES, Options()).train
    assert not any("Related: " in row.prompt for row in plain)


def test_the_ranking_row_has_its_right_letter(split: Split) -> None:
    for row in split.train:
        if row.kind == "ranking":
            proposal = read_proposal(row.output)
            letter, _, _ = proposal.name.partition(".")
            listed = next(
                line for line in row.prompt.splitlines() if line.startswith(f"{letter}. ")
            )
            assert proposal.ideas[0] in listed


def test_a_renamed_program_is_the_same_program() -> None:
    from pseudocode.evolution.confinement import run

    (sorting,) = [lineage for lineage in LINEAGES if lineage.id == "sorting"]
    for node in sorting.nodes:
        _, entry = program_of(node)
        source = source_of(node)
        renamed = renamed_program(source, only_function(source) or "", "seed")
        assert "def solve(" in renamed
        assert entry not in renamed
        old, new = run(source, entry, [[[3, 1, 2, 1]]]), run(renamed, "solve", [[[3, 1, 2, 1]]])
        assert old == new
        assert old[0].result == [1, 1, 2, 3]
