"""Chains become prompts, and proposals survive the way to text and back."""

import pytest

from pseudocode.evolution.wording import (
    ProgramStage,
    Proposal,
    Stage,
    UnreadableProposal,
    as_stage,
    chain_prompt,
    proposal_text,
    read_proposal,
)

FIRST = Stage("Bubble sort", ("exchange neighbours",), "for i: exchange", ("slow",), "1956")
SECOND = Stage("Shellsort", ("gaps",), "gap = n / 2", ("no bound",), "1959", "One place.", "Gaps.")
PROPOSAL = Proposal(
    "Quicksort", "No bound.", ("split", "go on"), "pivot = a[0]\nsplit", "It is fast."
)


def test_a_proposal_survives_the_way_to_text_and_back() -> None:
    assert read_proposal(proposal_text(PROPOSAL)) == PROPOSAL


def test_fences_and_blank_lines_around_a_program_do_not_matter() -> None:
    text = "Algorithm: X\nPseudocode:\n```python\ndef f(a):\n    return a\n```\nReasons: none"
    assert read_proposal(text).pseudocode == "def f(a):\n    return a"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("", "no Algorithm and no Pseudocode"),
        ("Algorithm: X\nIdeas: y", "no Pseudocode"),
        ("Pseudocode:\nx", "no Algorithm"),
    ],
)
def test_what_is_no_proposal_is_refused_with_the_part_that_is_missing(
    text: str, missing: str
) -> None:
    with pytest.raises(UnreadableProposal, match=missing):
        read_proposal(text)


def test_a_prompt_tells_the_chain_in_order_with_weaknesses_and_history() -> None:
    prompt = chain_prompt("Sort.", [FIRST, SECOND], weakness="No bound.")
    assert prompt.index("1. Bubble sort (1956)") < prompt.index("2. Shellsort (1959)")
    assert "It answers: One place. Change: Gaps." in prompt
    assert "Weaknesses of 2: no bound." in prompt
    assert prompt.endswith("Answer this weakness: No bound.\nPropose the next algorithm.")


def test_only_the_last_two_algorithms_of_a_chain_show_their_pseudocode() -> None:
    prompt = chain_prompt("Sort.", [FIRST, SECOND, as_stage(PROPOSAL)])
    assert "for i: exchange" not in prompt
    assert "gap = n / 2" in prompt
    assert "pivot = a[0]" in prompt


def test_a_program_replaces_the_pseudocode_and_its_cost_is_told() -> None:
    prompt = chain_prompt("Sort.", [FIRST], program=ProgramStage("def f(a, ops): ...", "9 steps"))
    assert "def f(a, ops): ..." in prompt
    assert "Cost: 9 steps" in prompt
    assert "for i: exchange" not in prompt
