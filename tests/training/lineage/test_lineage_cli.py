"""The command line: exit codes, one message for what cannot be done, files that are whole."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.training.lineage.documents import edge
from training.lineage.cli import main
from training.lineage.loading import SHIPPED

Write = Callable[[dict[str, Any]], Path]


def test_check_counts_what_is_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["findings"] == []
    assert found["nodes"] >= 110
    assert found["executable"] >= 10


def test_check_ends_with_1_and_a_line_for_each_mistake(
    document: dict[str, Any], write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    for node in document["nodes"]:
        node["year"] = 2000
    document["edges"].append(edge("gamma", "alpha"))
    assert main(["check", str(write(document))]) == 1
    first = capsys.readouterr().out.splitlines()[0]
    assert "is a circle" in first
    assert first.endswith("[cycle]")


def test_a_cyclic_lineage_makes_no_rows_but_one_clear_message(
    document: dict[str, Any], write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document["edges"].append(edge("gamma", "alpha"))
    assert main(["rows", str(write(document)), "--out", str(tmp_path / "rows")]) == 2
    error = capsys.readouterr().err
    assert "is a circle" in error
    assert "Traceback" not in error
    assert not (tmp_path / "rows").exists()


def test_one_s_own_lineage_becomes_rows(
    document: dict[str, Any], write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rows"
    path = str(write(document))
    assert main(["rows", path, "--out", str(out), "--cutoff-year", "2005"]) == 0
    assert "train.csv" in capsys.readouterr().out
    assert "Gamma" not in (out / "train.csv").read_text(encoding="utf-8")
    assert "Gamma" in (out / "held-out.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_lineage_can_be_drawn(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "chain.svg"
    assert main(["render", str(path), "--out", str(out)]) == 0
    tree = ET.parse(out)  # noqa: S314 - our own file
    boxes = tree.findall(".//{http://www.w3.org/2000/svg}rect")
    edges = tree.findall(".//{http://www.w3.org/2000/svg}path[@class='edge']")
    assert len(boxes) >= 3
    assert len(edges) >= 2


def test_measure_prints_counts_and_draws_a_plot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(SHIPPED / "recurrence.yaml")
    assert main(["measure", file, "--plots", str(tmp_path), "--json"]) == 0
    (measured,) = json.loads(capsys.readouterr().out)
    assert all(claim["holds"] for claim in measured["improvements"])
    assert (tmp_path / "recurrence.svg").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["render", "x.yaml", "--out", "x.png"], "ends in .svg"),
        (["check", "nowhere.yaml"], "there is no nowhere.yaml"),
        (["evaluate"], "either --url with --model, or --base"),
        (["evaluate", "--url", "http://127.0.0.1:9"], "without --model"),
        (["evaluate", "--base", "no-such-base-anywhere"], "no-such-base-anywhere"),
        (["agreement", "nowhere.csv"], "cannot read ratings"),
        (["sheet", "a=nowhere.json", "--out", "x"], "holds no roll-outs"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_one_message(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_too_few_distractors_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "--distractors", "3"])
    assert ended.value.code == 2
    assert "expected 4 to 10" in capsys.readouterr().err
