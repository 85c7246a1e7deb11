"""Which cases are run in which order, and what is made of their speeds; engines are played here."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest

from benchmarks import goals
from benchmarks._children import Answer, Child
from benchmarks.engine import ratios
from benchmarks.engine.matmuls import step, weights_of
from benchmarks.engine.ratios import Case, Size
from tests.service.tiny_store import CONFIG, make_base

SIZE = Size(3, {"ours": 11, "stock": 6, "matrices": 4})


class Played:
    """A child that takes one second for everything, or two with an adapter."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, object]] = []

    def ask(self, question: Mapping[str, object], timeout_s: float) -> Answer:
        self.asked.append(question)
        who = cast(Sequence[int], question.get("who", [0]))
        seconds = 2.0 if any(who) else 1.0
        alone = "steps" in question
        return {"step_s": 0.5} if alone else {"first_s": seconds, "rest_s": seconds}


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> dict[str, Played]:
    played = {name: Played() for name in ("ours", "stock", "matrices")}
    monkeypatch.setattr(ratios, "_start", lambda *_: cast(dict[str, Child], played))
    return played


def test_ratios_are_of_one_round_and_stand_beside_their_goals(
    children: dict[str, Played], tmp_path: Path
) -> None:
    found = goals.judged("engine", ratios.compare(tmp_path, [], tmp_path, SIZE))
    values = {figure.name: figure.value for figure in found if figure.ok is not None}
    assert values == {
        "adapter / base, decode at 8": 0.5,
        "four adapters mixed / base, decode at 8": 0.5,
        "adapter / base, prefill of 900 tokens": 0.5,
        "ours / vLLM as installed, base at 8": 2.0,
        "ours / vLLM as installed, one adapter at 8": 2.0,
        "base at 16 / its matrices alone": 5.0,
    }
    speeds = {figure.name: figure.value for figure in found if figure.ok is None}
    assert speeds["ours, base, decode at 8"] == 80
    assert speeds["ours, 4 adapters, decode at 8"] == 40
    assert speeds["ours, base, prefill at 1"] == 900


def test_the_order_turns_with_each_round_and_no_prompt_is_asked_twice(
    children: dict[str, Played], tmp_path: Path
) -> None:
    ratios.compare(tmp_path, [], tmp_path, SIZE)
    asked = children["ours"].asked
    rounds = [[str(one["who"]) for one in asked[at : at + 6]] for at in range(0, len(asked), 6)]
    assert len(rounds) == SIZE.rounds + 1
    assert rounds[0] == rounds[1][::-1]
    assert rounds[2] == rounds[0]
    assert len({one["seed"] for one in asked}) == len(asked)


def test_a_prefill_asks_for_one_token_only(children: dict[str, Played], tmp_path: Path) -> None:
    ratios.compare(tmp_path, [], tmp_path, SIZE)
    answers = {(one["prompt_tokens"], one["answer_tokens"]) for one in children["ours"].asked}
    assert answers == {(32, 11), (900, 1)}


def test_the_spread_of_the_rounds_is_told() -> None:
    speeds: dict[Case, list[float]] = {
        case: [10.0, 10.0, 10.0] for pair in ratios.RATIOS.values() for case in pair
    }
    speeds[ratios.ADAPTER_8] = [9.0, 5.0, 8.0]
    (figure, *_) = ratios.figures(speeds)
    assert figure.value == 0.8
    assert figure.note == "median of 3 rounds, 0.50 to 0.90"


def test_the_matrices_are_those_of_the_base_and_its_head(tmp_path: Path) -> None:
    import torch

    weights = weights_of(make_base(tmp_path), torch.float32)
    hidden, inner, vocabulary = CONFIG["hidden_size"], CONFIG["intermediate_size"], 32
    assert len(weights) == 2 * 7 + 1
    assert weights[-1].shape == (vocabulary, hidden)
    assert sum(weight.shape == (inner, hidden) for weight in weights) == 4 + 1
    step(weights, {width: torch.ones(3, width) for width in (16, 32)})
