"""Rows on disk and the command line that writes them."""

import csv
import json
from pathlib import Path

import pytest

from training.errors import NotWritten
from training.problems import generate, write_problems
from training.problems.cli import main
from training.problems.rows import COLUMNS


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_rows_come_back_as_they_were_written(suffix: str, tmp_path: Path) -> None:
    problems = generate(seed=0, count=40, language="zh", split="seen")
    path = tmp_path / "new" / f"rows.{suffix}"
    write_problems(path, problems)
    rows = (
        read_csv(path)
        if suffix == "csv"
        else [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    )
    assert [tuple(row) for row in rows] == [COLUMNS] * 40
    for row, problem in zip(rows, problems, strict=True):
        assert row["prompt"] == problem.question
        assert row["output"] == problem.program
        assert row["answer"] == problem.answer
        assert (row["language"], row["split"]) == ("zh", "seen")
        assert row["template"] == problem.template
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_other_suffixes_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(NotWritten, match=r"rows\.txt: expected .*\.csv or \.jsonl"):
        write_problems(tmp_path / "rows.txt", [])
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(NotWritten, match=r"cannot write .*taken/rows\.csv: .*Choose a folder"):
        write_problems(tmp_path / "taken" / "rows.csv", [])


def test_the_command_writes_rows_of_both_languages_and_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.csv"
    code = main(["--count", "61", "--language", "en,zh", "--seed", "5", "--out", str(path)])
    assert code == 0
    rows = read_csv(path)
    assert [row["language"] for row in rows].count("en") == 31
    assert [row["language"] for row in rows].count("zh") == 30
    assert {row["split"] for row in rows} == {"train"}
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["family", "en", "zh", "templates"]
    assert sum(int(line.split()[1]) + int(line.split()[2]) for line in table[1:-1]) == 61
    assert table[-1] == f"61 rows in {path}"


def test_a_preview_shows_each_language_and_needs_no_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["--preview", "2", "--split", "unseen", "--count", "10", "--language", "zh,en"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert shown.count("return ") == 4
    assert shown.count("-> ") == 4
    assert shown.count("？") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --out FILE to write rows or --preview N"),
        (["--count", "0", "--preview", "1"], "'0' is no count; expected a whole number above 0"),
        (["--language", "en,fr", "--preview", "1"], "unknown language 'fr'; expected en or zh"),
        (["--spilt", "seen", "--preview", "1"], "unrecognized arguments: --spilt"),
    ],
)
def test_a_wrong_command_ends_with_code_two(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_what_cannot_be_written_ends_with_code_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--count", "5", "--out", str(tmp_path / "rows.parquet")]) == 2
    assert "expected a name that ends in .csv or .jsonl" in capsys.readouterr().err
