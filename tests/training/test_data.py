"""`python -m training.data check`: the whole verdict on a file, for people and for programs."""

import json
from pathlib import Path

import pytest

from training.data import COMMANDS, main


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


def test_leaks_between_two_files_are_named_and_fail_the_check(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    train, held_out = tmp_path / "train.csv", tmp_path / "held_out.csv"
    train.write_text("prompt,output\na b,x\nc,y\n")
    held_out.write_text("prompt,output\nd,x\nA  b!,x\n")
    code, out, _ = check(capsys, str(train), "--eval", str(held_out), "--json")
    verdict = json.loads(out)
    assert code == 1
    assert [(leak["line"], leak["code"]) for leak in verdict["leaks"]] == [(3, "leak")]
    assert verdict["eval"] == {"rows": 2, "kept": 2, "problems": []}
    code, out, _ = check(capsys, str(train), "--eval", str(held_out))
    assert "1 leak from" in out
    assert code == 1


def test_a_picture_of_the_lengths_is_drawn(
    capsys: pytest.CaptureFixture[str], rows_file: Path, tiny_base: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "lengths.png"
    arguments = [str(rows_file), "--task", "pseudocode", "--base", str(tiny_base)]
    assert check(capsys, *arguments, "--plot", str(picture))[0] == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    code, _, err = check(capsys, *arguments, "--plot", str(tmp_path / "no" / "lengths.png"))
    assert code == 2
    assert "Choose a .png file" in err


def test_previews_and_lengths_are_in_the_json(
    capsys: pytest.CaptureFixture[str], rows_file: Path, tiny_base: Path
) -> None:
    arguments = [str(rows_file), "--task", "pseudocode", "--base", str(tiny_base), "--json"]
    verdict = json.loads(check(capsys, *arguments)[1])
    assert len(verdict["preview"]) == 3
    assert verdict["preview"][0]["line"] == 2
    assert verdict["preview"][0]["text"].endswith("[<end>]")
    assert verdict["length_tokens"]["total"] == 2232


def test_wrong_arithmetic_is_mended(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "mended.jsonl"
    lines = [
        {"prompt": "a", "output": "3 × 4 = 13. Answer: 13", "gold": "12"},
        {"prompt": "b", "output": "3 × 4 = 12. Answer: 12", "gold": "12", "language": "en"},
        {"prompt": "c", "output": "3 × 4 = 12. Answer: 13", "gold": "13"},
        {"prompt": "d", "output": "No steps."},
    ]
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines))
    code, shown, _ = check(capsys, str(rows), "--task", "cot", "--repair", str(out))
    assert code == 1
    assert "2 rows as they were, 1 mended, 1 beyond repair left out" in shown
    assert [json.loads(line)["output"] for line in out.read_text().splitlines()] == [
        "3 × 4 = 12. Answer: 12",
        "3 × 4 = 12. Answer: 12",
        "3 × 4 = 12. Answer: 13",
    ]
    assert check(capsys, str(out), "--task", "cot", "--json")[0] == 0
    assert check(capsys, str(rows), "--task", "instruct", "--repair", str(out))[0] == 2


def test_a_file_that_is_not_there_gives_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = check(capsys, "no.csv", "--json")
    verdict = json.loads(out)
    assert code == 2
    assert verdict["problems"][0]["code"] == "unreadable"
    assert "No such file" in err


def test_rows_worth_a_look_are_kept(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("Prompt,output\na,<b>c</b>\nd,None\n")
    code, out, _ = check(capsys, str(path), "--json")
    verdict = json.loads(out)
    assert (code, verdict["kept"], verdict["problems"]) == (0, 2, [])
    assert [(item["line"], item["code"]) for item in verdict["warnings"]] == [
        (1, "column_name"),
        (2, "html"),
        (3, "null_like"),
    ]


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["chek"], 2), (["--help"], 0)])
def test_the_commands_are_listed(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int
) -> None:
    assert main(arguments) == code
    captured = capsys.readouterr()
    assert "check" in captured.out + captured.err


@pytest.mark.parametrize("length", ["0", "-5", "x", "1.5"])
def test_a_length_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], length: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["check", "rows.csv", "--max-length-tokens", length])
    assert caught.value.code == 2
    assert "whole number above 0" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_says_how_it_is_used(capsys: pytest.CaptureFixture[str], name: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    assert caught.value.code == 0
    assert "usage: python -m training." in capsys.readouterr().out


def test_lineages_are_checked_here_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("id: [\n")
    assert main(["lineage", "check", str(tmp_path)]) == 1
    assert "this is not YAML" in capsys.readouterr().out
