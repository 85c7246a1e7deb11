"""`python -m pseudocode run` for people and for programs."""

import io
import json
import sys
from pathlib import Path

import pytest

from pseudocode.cli import main


def test_a_person_sees_each_line_and_the_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "p.txt"
    file.write_text("总数 = 3 * 4\nreturn 20 - 总数\n", encoding="utf-8")
    assert main(["run", str(file)]) == 0
    output = capsys.readouterr().out
    assert "总数" in output
    assert output.endswith("answer: 8\n")


def test_a_program_gets_json_from_stdin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("a = 1 / 3\nreturn a"))
    assert main(["run", "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "answer": "1/3",
        "trace": [
            {"line": 1, "name": "a", "value": "1/3", "expression": "1 / 3"},
            {"line": 2, "name": "return", "value": "1/3", "expression": "a"},
        ],
        "steps": 1,
        "error": None,
    }


def test_a_program_without_an_answer_exits_with_1_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "p.txt"
    file.write_text("a = 1 / 0\nreturn a\n")
    assert main(["run", str(file)]) == 1
    assert "line 1: The divisor is 0" in capsys.readouterr().err
    assert main(["run", str(file), "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["code"], error["line"]) == ("division_by_zero", 1)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    file = tmp_path / "p.txt"
    if content is not None:
        file.write_bytes(content)
    assert main(["run", str(file)]) == 2
    assert "expected a UTF-8 text file" in capsys.readouterr().err
