"""What tests on a card share: the skip where there is none, random bases, and one report of all figures."""

import os
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import pytest

from benchmarks import goals
from benchmarks.figures import Figure
from tests.gpu import card
from tests.gpu.report import Report

# Where `scripts/gpu` wants the report; no name of ours begins so, since those are settings.
REPORT_VARIABLE = "GPU_REPORT"
REPORT = pytest.StashKey[Report]()
# Of why a test failed; an engine says why it ended last.
WHY_CHARACTERS = 1000
Keep = Callable[[Sequence[Figure]], None]


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") is None:
        return
    if not card.has_card():
        pytest.skip("no CUDA device")
    if REPORT_VARIABLE in os.environ and REPORT not in item.config.stash:
        item.config.stash[REPORT] = Report(Path(os.environ[REPORT_VARIABLE]), card.facts())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    result = yield
    report = item.config.stash.get(REPORT, None)
    if report is not None and result.failed and call.excinfo is not None:
        report.fail(item.name, str(call.excinfo.value)[-WHY_CHARACTERS:])
    return result


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Keep:
    """Puts figures beside their goals and into the report, and fails where a goal is missed."""

    def judge(found: Sequence[Figure]) -> None:
        judged = goals.judged("gpu", found)
        report = request.config.stash.get(REPORT, None)
        if report is not None:
            report.take(request.node.name, judged)
        missed = [
            f"{one.name}: {one.value:.4g}, goal {one.goal}" for one in judged if one.ok is False
        ]
        assert not missed

    return judge


@pytest.fixture(scope="session")
def small_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of which two engines and the bare matrices fit on a card at once."""
    from tests.gpu.random_base import make_base

    return make_base(tmp_path_factory.mktemp("small") / "base", "smollm2-1.7b-instruct")


@pytest.fixture(scope="session")
def large_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of 7B, which in bfloat16 takes most of a card of 24 GB."""
    from tests.gpu.random_base import make_base

    return make_base(tmp_path_factory.mktemp("large") / "base", "mistral-7b-instruct-v0.3")
