"""`python -m training.data check`: the whole verdict on a file, for people and for programs."""

import json
from pathlib import Path

import pytest

from training.data import main


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["check", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_good_rows_give_zero_and_the_counts(
    capsys: pytest.CaptureFixture[str], rows_file: Path
) -> None:
    code, out, _ = check(capsys, str(rows_file), "--task", "pseudocode", "--json")
    verdict = json.loads(out)
    assert code == 0
    assert (verdict["rows"], verdict["kept"], verdict["problems"]) == (36, 36, [])


def test_problems_come_as_json_with_the_lines_of_the_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("prompt,output\na,return 1\nb,\na,return 1\n")
    code, out, _ = check(capsys, str(path), "--task", "pseudocode", "--json")
    verdict = json.loads(out)
    assert code == 1
    assert (verdict["rows"], verdict["kept"]) == (3, 1)
    assert [(item["line"], item["code"]) for item in verdict["problems"]] == [
        (3, "empty_output"),
        (4, "duplicate"),
    ]
    assert all(item["message"] for item in verdict["problems"])


def test_rows_merely_left_out_are_lost_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("prompt,output\na,b\na,b\n")
    assert check(capsys, str(path), "--task", "instruct")[0] == 1


def test_with_a_base_lengths_and_a_preview_are_shown(
    capsys: pytest.CaptureFixture[str], rows_file: Path, tiny_base: Path
) -> None:
    arguments = [str(rows_file), "--task", "pseudocode", "--base", str(tiny_base)]
    code, out, _ = check(capsys, *arguments)
    assert code == 0
    assert "2,232 tokens" in out
    assert "[r][e][t][u][r][n][ ][t][<end>]" in out
    code, out, _ = check(capsys, *arguments, "--max-length-tokens", "61", "--json")
    verdict = json.loads(out)
    assert verdict["kept"] == 0
    assert {item["code"] for item in verdict["problems"]} == {"too_long"}
    assert verdict["too_long_if_cut"] == {"rows": 36, "tokens": 36, "rows_without_output": 0}
    assert code == 2


@pytest.mark.parametrize("arguments", [["no.csv"], ["no.csv", "--base", "no-such-base"]])
def test_a_check_that_is_not_possible_gives_two(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    code, _, err = check(capsys, *arguments)
    assert code == 2
    assert err.startswith("training.data: ")


@pytest.mark.parametrize("columns", ["question", "promt=question", "="])
def test_columns_that_cannot_be_read_are_refused(
    capsys: pytest.CaptureFixture[str], columns: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["check", "rows.csv", "--columns", columns])
    assert caught.value.code == 2
    assert "prompt=NAME,output=NAME" in capsys.readouterr().err


def test_columns_are_mapped(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("question,text\na,b\n")
    assert check(capsys, str(path), "--columns", "prompt=question,output=text")[0] == 0
