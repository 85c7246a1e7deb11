"""The service's benchmark: its parts, a goal for each of its figures, an exit code for a missed one."""

import math
from pathlib import Path

import pytest

from benchmarks import cli, goals, service, swap
from benchmarks._fairness import worst_wait
from benchmarks._loading import Answer
from benchmarks.figures import Figure


def answer(model: str, *tokens_s: float, failed: str | None = None) -> Answer:
    return Answer(0.0, list(tokens_s), model, failed)


def test_our_layer_alone_is_measured_and_every_figure_of_it_has_a_goal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LAYER_STREAMS", 32)
    found = goals.judged("service", [*service._layer(tmp_path, 160), worst_wait(tmp_path, 3.0)])
    assert [figure.ok for figure in found].count(None) == 0
    assert len(found) == 4
    assert all(figure.value > 0 for figure in found if "growth" not in figure.name)
    assert found[-1].ok, found[-1]


def test_what_a_swap_did_is_judged_by_what_its_clients_saw() -> None:
    steady = [answer("alpha@1", *(number * 0.1 for number in range(100)))]
    found = goals.judged("service", swap._judged(steady, 5.0, 6.0, answer("alpha@2", 6.5)))
    assert [(figure.value, figure.ok) for figure in found[:1]] == [(0, True)]
    assert [figure.ok for figure in found] == [True, True, True, None]
    held_up = answer("alpha@1", *(number * 0.1 for number in range(50)), 5.6, 5.7)
    cut = answer("alpha@1", 5.1, failed="200, ended: False")
    found = goals.judged("service", swap._judged([held_up, cut], 5.0, 6.0, answer("alpha@1", 6.5)))
    assert [figure.ok for figure in found] == [False, False, False, None]
    assert math.isinf(found[2].value)


@pytest.mark.parametrize(
    ("name", "missed"),
    [
        ("throughput, 8 at once, ours / vLLM's", 0.97),
        ("first token p50, 1 at once, ours / vLLM's", 1.06),
        ("our layer, streamed", 19_999),
        ("our layer, whole answers", 1499),
        ("our layer, growth of memory", 8.1),
        ("swap under load, failed", 1),
        ("swap, longest gap beyond p99", 3.1),
        ("swap, first answer of the new version", 2.1),
        ("dock of a cold adapter, beyond its read", 0.6),
    ],
)
def test_a_missed_goal_is_exit_code_1_if_it_is_checked(
    monkeypatch: pytest.MonkeyPatch, name: str, missed: float
) -> None:
    monkeypatch.setattr(service, "_engine", lambda scratch, rounds: [Figure(name, missed, "")])
    assert cli.main(["service", "--parts", "engine"]) == 0
    assert cli.main(["service", "--parts", "engine", "--check"]) == 1


def test_the_parts_are_those_of_the_figures_that_are_hoped_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def noted(part: str) -> list[Figure]:
        asked.append(part)
        return []

    monkeypatch.setattr(service, "_layer", lambda *_: noted("layer"))
    monkeypatch.setattr(service, "worst_wait", lambda *_: Figure("wait", 1.0, "turns"))
    monkeypatch.setattr(service, "_engine", lambda *_: noted("engine"))
    monkeypatch.setattr(swap, "run", lambda: noted("swap"))
    assert cli.main(["service", "--check"]) == 0
    assert asked == list(service.PARTS)
