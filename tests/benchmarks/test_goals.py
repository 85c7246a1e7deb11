"""Goals stand in one table and are put beside the figures they are for."""

import pytest

from benchmarks import goals
from benchmarks.engine.ratios import RATIOS
from benchmarks.figures import Figure
from benchmarks.goals import Goal


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    some = (Goal("list * versions", "<=", 0.5), Goal("*", ">=", 2.0))
    monkeypatch.setattr(goals, "GOALS", {"some": some})


@pytest.mark.usefixtures("table")
def test_the_first_goal_that_fits_counts() -> None:
    found = [Figure("list 10 versions", 0.5, "s"), Figure("rate", 1.9, "")]
    first, second = goals.judged("some", found)
    assert (first.goal, first.ok) == ("<= 0.5 s", True)
    assert (second.goal, second.ok) == (">= 2", False)


@pytest.mark.usefixtures("table")
def test_a_benchmark_without_goals_is_only_shown() -> None:
    (figure,) = goals.judged("other", [Figure("rate", 1.0, "")])
    assert (figure.goal, figure.ok) == ("", None)


def test_every_ratio_of_the_engine_has_its_goal_and_every_goal_its_ratio() -> None:
    assert [goal.name for goal in goals.GOALS["engine"]] == list(RATIOS)


@pytest.mark.parametrize(("value", "reached"), [(2.0, True), (2.1, False)])
def test_a_limit_itself_is_still_good(value: float, *, reached: bool) -> None:
    assert Goal("a", "<=", 2.0).judge(Figure("a", value, "s")).ok is reached
    assert Goal("a", ">=", -2.0).judge(Figure("a", -value, "s")).ok is reached
