"""Rows that repeat a text are named, whatever its file, language, case and punctuation."""

import json
from pathlib import Path

import pytest

from training.data import main
from training.data_overlap import runs, texts_of, tokens

ENGLISH = (
    "A farmer has twelve green barrels, and each of them holds forty litres of cold rain water."
)
CHINESE = "小明有十二个绿色的水桶,每个水桶能装四十升冷雨水,一共多少升?"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    prompts = [
        f"{ENGLISH.upper()} How much?",
        "A farmer has twelve barrels. How much?",
        CHINESE.replace(",", "，"),
        "短题",
        "7 + 1?",
    ]
    lines = [f'"{prompt}",return {place} + 1' for place, prompt in enumerate(prompts)]
    path.write_text("\n".join(["prompt,output", *lines]) + "\n", encoding="utf-8")
    return path


def overlap(rows: Path, *against: Path) -> int:
    return main(["overlap", str(rows), "--task", "pseudocode", "--against", *map(str, against)])


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "txt"])
def test_rows_that_share_a_run_are_counted_and_named(
    tmp_path: Path, rows: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    other = tmp_path / f"test-set.{suffix}"
    texts = [f"Before it. {ENGLISH} After it.", CHINESE, "7 + 1?"]
    written = {
        "jsonl": "\n".join(json.dumps({"question": text, "n": 1}) for text in texts),
        "json": json.dumps({"data": [{"q": [text]} for text in texts]}),
        "csv": "\n".join(f'1,"{text}"' for text in texts),
        "txt": "\n".join(texts),
    }
    other.write_text(written[suffix] + "\n", encoding="utf-8")
    assert overlap(rows, other) == 1
    out = capsys.readouterr().out
    assert "2 of 5 rows share a run of 13 words or Chinese characters" in out
    assert f"line 2: 5 in {other.name}, text " in out
    assert "a farmer has twelve green barrels and each of them holds forty litres" in out
    assert "line 4: " in out


def test_no_overlap_is_a_success_and_json_names_every_row(
    tmp_path: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.txt"
    other.write_text(
        "Something else altogether, at a length of more than thirteen words, or so it seems."
    )
    assert overlap(rows, other) == 0
    capsys.readouterr()
    other.write_text(ENGLISH)
    arguments = ["overlap", str(rows), "--task", "pseudocode", "--against", str(other)]
    assert main([*arguments, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == 5
    assert [(each["line"], each["runs"]) for each in found["overlaps"]] == [(2, 5)]
    # A shorter run finds the shortened sentence too.
    assert main([*arguments, "--json", "--ngram", "4"]) == 1
    assert {each["line"] for each in json.loads(capsys.readouterr().out)["overlaps"]} == {2, 3}


def test_what_cannot_be_compared_is_said(
    tmp_path: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert overlap(rows, tmp_path / "missing.txt") == 2
    assert "Cannot compare with" in capsys.readouterr().err
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{no json\n")
    assert overlap(rows, broken) == 2
    assert "broken.jsonl" in capsys.readouterr().err


def test_a_chinese_character_is_a_word() -> None:
    assert tokens("Ｔhe 3 猫s!") == ["the", "3", "猫", "s"]
    assert list(runs("一二三四五", 4)) == [tuple("一二三四"), tuple("二三四五")]
    assert list(runs("!?", 4)) == []


def test_a_text_file_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("one\ntwo\n")
    assert list(texts_of(path)) == ["one", "two"]
