"""Metrics by name, from a folder of Hugging Face's `evaluate`, and their intervals."""

from functools import lru_cache
from pathlib import Path

import pytest

import reasoning
from training import metrics
from training.errors import EvaluationFailed
from training.measuring import mean
from training.rows import Row
from training.tasks import TASKS

FOLDER = Path(__file__).parent / "metrics" / "words"


def row(output: str, answer: str | None = None) -> Row:
    return Row(2, "q", output, answer, {})


@pytest.mark.parametrize(
    ("name", "answer", "gold", "expected"),
    [
        ("exact", " a b\n", row("a b"), 1.0),
        ("exact", "a", row("b"), 0.0),
        ("similarity", "小明有三个苹果", row("小明有四个苹果"), 6 / 7),
        ("number", "so it is 1,200.", row("x", "1200"), 1.0),
        ("number", "it is 7 and then 1/2", row("the answer: 0.5"), 1.0),
        ("number", "nothing", row("x", "3"), 0.0),
        ("executed", "return 1 / 2", row("x"), 1.0),
        ("executed", "return (", row("x"), 0.0),
        ("right", "return 1 / 2", row("return 0.5"), 1.0),
        ("right", "return 3", row("return 4", "3"), 1.0),
        ("right", "return 3", row("return 4"), 0.0),
        ("concluded", "3 + 4 = 7.\nAnswer: 7", row("x", "7.0"), 1.0),
        ("concluded", "3 + 4 = 7.\nAnswer: 7", row("2 × 4 = 8。\n答案：8"), 0.0),
        ("concluded", "3 + 4 = 7", row("x", "7"), 0.0),
        ("consistent", "3 + 4 = 7。\n答案：7", row("x", "8"), 1.0),
        ("consistent", "3 + 4 = 8.\nAnswer: 8", row("x", "8"), 0.0),
        ("steps_right", "3 + 4 = 7. 7 - 2 = 5", row("x"), 1.0),
        ("steps_right", "3 + 4 = 7. 7 - 2 = 4", row("x"), 0.0),
        ("steps_right", "It is 5.\nAnswer: 5", row("x"), 0.0),
        ("conclusion_last", "3 + 4 = 7.\nAnswer: 7", row("x"), 1.0),
        ("conclusion_last", "Answer: 7\nbecause 3 + 4 = 7", row("x"), 0.0),
    ],
)
def test_an_answer_is_worth_what_the_metric_says(
    name: str, answer: str, gold: Row, expected: float
) -> None:
    assert metrics.find(name)(answer, gold) == pytest.approx(expected)


def test_every_metric_that_a_task_names_exists() -> None:
    assert all(name in metrics.METRICS for task in TASKS.values() for name in task.metrics)
    assert TASKS["cot"].metrics[0] == "concluded"


def test_an_unknown_metric_is_refused_with_those_there_are() -> None:
    with pytest.raises(EvaluationFailed, match="Expected one of concluded, conclusion_last"):
        metrics.find("blue")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_metric_of_the_library_is_loaded_from_a_folder() -> None:
    pytest.importorskip("evaluate", reason="the library is an extra")
    found = metrics.find(f"evaluate:{FOLDER}")
    assert found("the cat sat", row("the dog sat")) == pytest.approx(2 / 3)
    assert found("a", row("b c")) == 0


def test_a_chain_is_checked_once_for_all_its_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []

    def check(text: str) -> reasoning.Report:
        checked.append(text)
        return reasoning.check(text)

    monkeypatch.setattr(metrics, "_checked", lru_cache(maxsize=1)(check))
    found = {name: metrics.find(name) for name in TASKS["cot"].metrics}
    answers = ["3 + 4 = 7.\nAnswer: 7", "3 + 4 = 8.\nAnswer: 8"]
    scores = metrics.score(found, answers, [row("x", "7"), row("x", "8")])
    assert checked == answers
    assert (scores["concluded"], scores["steps_right"]) == ([1, 1], [1, 0])


def test_the_interval_of_a_mean_holds_it_and_narrows_with_rows() -> None:
    few, many = mean([0.0, 1.0] * 10), mean([0.0, 1.0] * 200)
    assert few.low < few.mean == 0.5 < few.high
    assert many.high - many.low < few.high - few.low
    # Of 400 fair coins: 1.96 * sqrt(0.25 / 400) to either side.
    assert many.low == pytest.approx(0.451, abs=0.01)
    assert mean([0.25]).low == mean([0.25]).high == 0.25
    assert mean([1.0, 0.0, 0.0]) == mean([1.0, 0.0, 0.0])
