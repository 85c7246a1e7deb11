"""What can be known of the tests on a card without one: the report, the goals, the settings."""

import json
from pathlib import Path

import pytest

from basemodels import CATALOGUE
from basemodels.devices import GIB, device
from basemodels.planning import Wish, best_serving, plan
from basemodels.sizes import sizes_of
from benchmarks import goals
from benchmarks.engine.ratios import RATIOS
from benchmarks.engine.worker import GPU_SHARE, MAX_DOCKED
from benchmarks.figures import Figure
from service.engine.hardware import Gpu, Hardware, facts_of
from service.engine.profile import Profile, Wishes, choose
from tests.gpu.report import Report

FACTS = {"card": "NVIDIA GeForce RTX 4090", "driver": "580.95.05", "commit": "f" * 40}
SMALL, LARGE = "smollm2-1.7b-instruct", "mistral-7b-instruct-v0.3"


@pytest.fixture
def report(tmp_path: Path) -> Report:
    return Report(tmp_path / "gpu.json", FACTS)


def test_a_report_holds_every_figure_with_its_goal_and_what_it_ran_on(
    report: Report, tmp_path: Path
) -> None:
    found = [
        Figure("memory, serving", 0.04, "", note="17.0 GB | 17.5"),
        Figure("speed", 900, "t/s"),
    ]
    report.take("test_memory", goals.judged("gpu", found))
    report.take("test_parity[llama]", goals.judged("gpu", [Figure("parity of llama", 0.3, "nat")]))
    page = (tmp_path / "gpu.md").read_text()
    assert "- card: NVIDIA GeForce RTX 4090\n- driver: 580.95.05\n" in page
    assert page.splitlines()[-3:] == [
        r"| test_memory | memory, serving | 0.04 | <= 0.15 | ok | 17.0 GB \| 17.5 |",
        "| test_memory | speed | 900 t/s |  |  |  |",
        "| test_parity[llama] | parity of llama | 0.3 nat | <= 0.15 nat | MISSED |  |",
    ]
    document = json.loads((tmp_path / "gpu.json").read_text())
    assert document["on"] == FACTS
    assert [(one["test"], one["value"], one["ok"]) for one in document["figures"]] == [
        ("test_memory", 0.04, True),
        ("test_memory", 900, None),
        ("test_parity[llama]", 0.3, False),
    ]


def test_a_test_that_ended_without_a_figure_is_in_the_report_with_its_reason(
    report: Report, tmp_path: Path
) -> None:
    report.fail("test_swap", "the engine ended:\nout of memory")
    assert (
        "| test_swap |  |  |  | FAILED | the engine ended: out of memory |"
        in (tmp_path / "gpu.md").read_text()
    )
    assert json.loads((tmp_path / "gpu.json").read_text())["failed"].keys() == {"test_swap"}


def test_a_missed_goal_is_told_once(report: Report, tmp_path: Path) -> None:
    report.take("test_swap", goals.judged("gpu", [Figure("swap under load, failed", 1, "")]))
    report.fail("test_swap", "assert not ['swap under load, failed']")
    assert json.loads((tmp_path / "gpu.json").read_text())["failed"] == {}


def test_every_ratio_of_the_engine_has_a_goal_on_a_card_too() -> None:
    found = goals.judged("gpu", [Figure(name, 1.0, "") for name in RATIOS])
    assert [figure.goal for figure in found if figure.goal == ""] == []
    assert not [figure for figure in found if "parity" in figure.goal]


def settings_of(name: str, wishes: Wishes) -> Profile:
    facts = facts_of(sizes_of(CATALOGUE[name].config))
    gpu = Gpu(FACTS["card"], 24_564 << 20, 23 * GIB, bf16=True, fp8=True)
    return choose(Hardware((0, 1), None, True, 32 * GIB, 28 * GIB, gpu), facts, wishes)


def test_two_engines_and_the_bare_matrices_fit_on_a_card_of_24_gb() -> None:
    wishes = Wishes(max_docked=MAX_DOCKED, memory_fraction=GPU_SHARE)
    settings = settings_of(SMALL, wishes).settings
    assert (settings.eager, settings.dtype, settings.cores) == (False, "bfloat16", ())
    assert settings.memory_fraction == GPU_SHARE
    assert settings.kv_cache_bytes is None
    matrices_bytes = 2 * sizes_of(CATALOGUE[SMALL].config).parameters
    contexts_bytes = 3 * GIB // 2
    card_bytes = device("4090").gpu_bytes
    assert 2 * GPU_SHARE * card_bytes + matrices_bytes + contexts_bytes < 0.95 * card_bytes


def test_the_large_base_is_served_and_trained_on_a_card_of_24_gb_as_it_is_planned() -> None:
    sizes = sizes_of(CATALOGUE[LARGE].config)
    bill = best_serving(sizes, device("4090"), Wish(adapters=4, context_tokens=4096))
    assert (bill.fits, bill.dtype) == (True, "bfloat16")
    cache = next(part.size_bytes for part in bill.parts if part.name == "KV cache")
    wishes = Wishes(max_docked=4, max_rank=16, context_tokens=3968, kv_cache_bytes=cache)
    settings = settings_of(LARGE, wishes).settings
    assert (settings.eager, settings.max_active, settings.kv_cache_bytes) == (False, 4, cache)
    assert plan(sizes, "qlora", device("4090"), Wish()).fits
