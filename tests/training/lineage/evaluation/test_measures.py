"""Choosing, running, novelty and roll-outs, with models whose answers are known."""

from collections.abc import Callable, Sequence

import pytest

from pseudocode.evolution.wording import proposal_text
from pseudocode.evolution.wording import read_proposal as proposal_of
from training.lineage.evaluation import choosing, rolling, running
from training.lineage.evaluation.novelty import TrainingText
from training.lineage.loading import load
from training.lineage.schema import Lineage
from training.lineage.stages import proposal, source_of

LINEAGES = [lineage for lineage in load() if lineage.id in ("subarrays", "sorting", "attention")]
SUBARRAYS = [lineage for lineage in LINEAGES if lineage.id == "subarrays"]


class Known:
    """A model that scores and writes as told."""

    name = "known"

    def __init__(
        self,
        score: Callable[[str, str], float] = lambda _prompt, _output: 0.0,
        answers: Sequence[str] = ("",),
    ) -> None:
        self._score = score
        self._answers = list(answers)
        self.prompts: list[str] = []

    def score(self, prompt: str, outputs: Sequence[str]) -> list[float]:
        return [self._score(prompt, output) for output in outputs]

    def write(self, prompt: str, max_tokens: int) -> str:
        self.prompts.append(prompt)
        return self._answers[min(len(self.prompts), len(self._answers)) - 1]


@pytest.mark.parametrize("make", [choosing.ranking_cases, choosing.matching_cases])
def test_a_model_that_knows_is_right_and_one_that_errs_is_last(
    make: Callable[..., list[choosing.Case]],
) -> None:
    cases = make(LINEAGES, 5, 0, None)
    right = {case.prompt: case.outputs[case.right] for case in cases}
    knowing = Known(lambda prompt, output: float(right.get(prompt) == output))
    erring = Known(lambda prompt, output: -float(right.get(prompt) == output))
    best, worst = choosing.choose(knowing, cases), choosing.choose(erring, cases)
    assert best.right.share == 1
    assert best.mean_rank == 1
    assert worst.right.share == 0
    assert worst.mean_rank == 6
    assert best.chance == pytest.approx(1 / 6)


def test_the_right_place_says_nothing() -> None:
    cases = choosing.ranking_cases(LINEAGES, 5, 0, None)
    assert len({case.right for case in cases}) > 3
    assert all(len(set(case.outputs)) == 6 for case in cases)


@pytest.mark.parametrize("make", [choosing.ranking_cases, choosing.matching_cases])
def test_no_choice_stands_in_the_prompt_already(make: Callable[..., list[choosing.Case]]) -> None:
    for case in make(LINEAGES, 5, 0, None):
        for output in case.outputs:
            assert proposal_of(output).pseudocode not in case.prompt


def test_an_output_that_is_likely_anyway_is_not_chosen_for_that() -> None:
    cases = choosing.ranking_cases(LINEAGES, 5, 0, None)
    right = {case.prompt: case.outputs[case.right] for case in cases}

    def score(prompt: str, output: str) -> float:
        return -len(output) + 0.5 * (right.get(prompt) == output)

    assert choosing.choose(Known(score), cases).right.share == 1


def test_no_choice_names_the_weakness_that_is_asked_for() -> None:
    weaknesses = [edge.weakness for lineage in LINEAGES for edge in lineage.edges]
    for case in choosing.matching_cases(LINEAGES, 4, 0, None):
        assert not any(weakness in output for weakness in weaknesses for output in case.outputs)


def test_only_chains_after_the_year_are_asked_for() -> None:
    groups = {case.group for case in choosing.ranking_cases(LINEAGES, 4, 0, 2015)}
    assert groups == {"attention"}


def proposed(lineage: Lineage, place: int) -> str:
    edge = lineage.edges[place]
    child = lineage.node(edge.child)
    return proposal_text(proposal(child, edge, source_of(child)))


def test_the_true_programs_pass_and_beat_those_before_them() -> None:
    answers = [proposed(SUBARRAYS[0], place) for place in range(3)]
    score = running.improve(Known(answers=answers), SUBARRAYS, None)
    assert [case.status for case in score.cases] == ["better"] * 3
    assert score.better.share == 1


def test_wrong_unsafe_and_unreadable_programs_are_told_apart() -> None:
    def said(body: str) -> str:
        return f"Algorithm: X\nIdeas: y\nPseudocode:\n{body}\nReasons: z"

    answers = [said("def f(items, ops):\n    return -1"), said("import os"), "nothing"]
    score = running.improve(Known(answers=answers), SUBARRAYS, None)
    assert [case.status for case in score.cases] == ["wrong", "refused", "unreadable"]
    assert score.readable.count == 2
    assert score.right.count == score.better.count == 0


def test_a_copy_has_nothing_new_and_its_length_is_found() -> None:
    training = TrainingText(
        ["the list is halved and stretches across the middle are joined", "other"]
    )
    copied = training.novelty_of("we say: the list is halved and stretches across, then stop")
    assert copied.longest_copied_words == 7
    assert 0 < copied.new_share < 1
    assert training.novelty_of("the list is halved and").new_share == 0
    assert training.novelty_of("completely other words than any of those").new_share == 1
    assert training.novelty_of("short").longest_copied_words == 0


def test_two_steps_feed_the_first_proposal_into_the_second_prompt() -> None:
    model = Known(answers=[proposed(SUBARRAYS[0], 1)])
    score = rolling.roll_out(model, SUBARRAYS, TrainingText([]), after_year=None, limit=1)
    assert [share.share for share in score.readable] == [1, 1]
    assert "2. Divide and conquer." in model.prompts[1]
    assert score.roll_outs[0].steps[1].kept == 1
    assert score.copies[1].share == 1


def test_a_roll_out_ends_with_what_cannot_be_read() -> None:
    score = rolling.roll_out(
        Known(answers=["?"]), SUBARRAYS, TrainingText([]), after_year=None, limit=2
    )
    assert [share.count for share in score.readable] == [0, 0]
    assert all(len(item.steps) == 1 for item in score.roll_outs)
