"""The sheet is blind, comes in two orders, and shows texts as texts."""

import json
from pathlib import Path

import pytest

from training.lineage.errors import LineageError
from training.lineage.evaluation.sheet import items_of, read_answers, sheet

ANSWERS = {
    "base-model": {"a -> b": "Algorithm: <b>One</b>", "c": "Algorithm: Two"},
    "adapter@1": {"a -> b": "Algorithm: Three", "c": "Algorithm: Four"},
}


def test_both_orders_hold_every_proposal_and_name_no_system() -> None:
    written = sheet(items_of(ANSWERS, 0), "Title")
    for page in (written.first, written.second):
        for name in ("One", "Two", "Three", "Four"):
            assert name in page
        assert "base-model" not in page
        assert "adapter@1" not in page
    order = [page.index("Three") < page.index("Two") for page in (written.first, written.second)]
    assert sorted(order) == [False, True]
    assert sorted(written.key.values()) == ["adapter@1", "adapter@1", "base-model", "base-model"]


def test_a_proposal_cannot_bring_markup_into_the_page() -> None:
    page = sheet(items_of(ANSWERS, 0), "Title").first
    assert "<b>One</b>" not in page
    assert "&lt;b&gt;One&lt;/b&gt;" in page


def test_each_proposal_can_be_rated_from_one_to_five_on_both_questions() -> None:
    page = sheet(items_of(ANSWERS, 0), "Title").first
    assert page.count('type="radio"') == 4 * 2 * 5


def test_nothing_to_rate_is_refused() -> None:
    with pytest.raises(LineageError, match="no proposal to rate"):
        sheet([], "Title")


def test_answers_come_from_results_of_roll_outs(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    roll_out = {"chain": ["a", "b"], "steps": [{"answer": "first"}, {"answer": "second"}]}
    path.write_text(json.dumps({"rollout": {"roll_outs": [roll_out]}}), "utf-8")
    assert read_answers({"x": path}) == {"x": {"a -> b": "first"}}
    path.write_text("{}", "utf-8")
    with pytest.raises(LineageError, match="holds no roll-outs"):
        read_answers({"x": path})
