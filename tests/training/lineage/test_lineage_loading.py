"""Every mistake in a lineage file is named, by file and node."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training.lineage.errors import LineageError, LineagesRefused
from training.lineage.loading import inspect, load

Document = dict[str, Any]
Write = Callable[[Document], Path]


def found(path: Path) -> list[tuple[str, str]]:
    return [(finding.place, finding.code) for finding in inspect([path])[1]]


def test_a_good_file_has_no_mistakes(document: Document, write: Write) -> None:
    (lineage,) = load([write(document)])
    assert [node.id for node in lineage.nodes] == ["alpha", "beta", "gamma"]
    assert lineage.node("beta").year == 2000


def test_a_circle_is_named_with_its_way(document: Document, write: Write) -> None:
    document["nodes"][2]["year"] = 1990
    document["nodes"][1]["year"] = 1990
    document["edges"].append({**document["edges"][0], "from": "gamma", "to": "alpha"})
    path = write(document)
    _, (finding,) = inspect([path])
    assert finding.code == "cycle"
    assert "is a circle" in finding.message
    for name in ("alpha", "beta", "gamma"):
        assert name in finding.message
    assert str(path) in str(finding)


def test_an_edge_back_in_time_is_named_with_both_years(document: Document, write: Write) -> None:
    document["nodes"][1]["year"] = 1980
    _, (finding,) = inspect([write(document)])
    assert (finding.place, finding.code) == ("alpha -> beta", "back_in_time")
    assert "1980" in finding.message
    assert "1990" in finding.message


def test_an_edge_to_nowhere_is_named(document: Document, write: Write) -> None:
    document["edges"][1]["to"] = "delta"
    assert ("beta -> delta", "unknown_node") in found(write(document))
    assert ("gamma", "not_connected") in found(write(document))


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("year", "1999", "int_type"),
        ("year", 3000, "less_than_equal"),
        ("source", None, "missing"),
        ("pseudocode", "one line", "value_error"),
        ("ideas", [], "too_short"),
        ("use", None, "missing"),
        ("colour", "red", "extra_forbidden"),
    ],
)
def test_an_incomplete_or_odd_node_is_named(
    document: Document, write: Write, field: str, value: object, code: str
) -> None:
    document["nodes"][1][field] = value
    if value is None:
        del document["nodes"][1][field]
    assert found(write(document)) == [("beta", code)]


def test_a_wrong_identifier_of_a_source_is_named(document: Document, write: Write) -> None:
    document["nodes"][0]["source"]["id"] = "1412.6980"
    _, (finding,) = inspect([write(document)])
    assert finding.place == "alpha"
    assert "arXiv:1412.6980" in finding.message


def test_doubles_are_named(document: Document, write: Write) -> None:
    document["nodes"].append(document["nodes"][2])
    document["edges"].append(document["edges"][1])
    assert [code for _, code in found(write(document))] == ["double_node", "double_edge"]


def test_a_claim_without_programs_is_named(document: Document, write: Write) -> None:
    document["edges"][0]["measured_on"] = "shuffled"
    assert found(write(document)) == [("alpha -> beta", "claim_without_program")]


@pytest.mark.parametrize("text", ["a: [", "- 1\n- 2\n", "", "\x00"])
def test_what_is_no_lineage_is_one_finding(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    lineages, findings = inspect([path])
    assert lineages == []
    assert len(findings) == 1
    assert findings[0].file == str(path)


def test_loading_refuses_with_every_mistake_at_once(document: Document, write: Write) -> None:
    document["nodes"][0]["year"] = "old"
    del document["edges"][0]["weakness"]
    with pytest.raises(LineagesRefused, match="2 mistake") as refused:
        load([write(document)])
    assert "alpha" in str(refused.value)
    assert "alpha -> beta" in str(refused.value)


def test_two_files_with_one_id_are_named(document: Document, write: Write, tmp_path: Path) -> None:
    first = write(document)
    second = tmp_path / "again.yaml"
    second.write_text(first.read_text(encoding="utf-8"), encoding="utf-8")
    _, (finding,) = inspect([first, second])
    assert finding.code == "double_lineage"


def test_a_missing_file_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(LineageError, match=r"there is no .*nowhere\.yaml"):
        load([tmp_path / "nowhere.yaml"])
