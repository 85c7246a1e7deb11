"""Whole groups are held out, the same ones for the same seed, and it is recorded."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data import main
from training.data_split import split_rows
from training.errors import RowsRefused
from training.sheet import Row

LONG = "Natalia sold clips to 48 of her friends in April, and then she sold half as many in May."


def row(line: int, group: str | None, prompt: str = "") -> Row:
    return Row(line, prompt or f"prompt {line}", "x", None, {}, group)


@given(
    groups=st.lists(st.sampled_from("abcdefgh"), min_size=2).filter(lambda names: len(set(names)) > 1),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 9),
)  # fmt: skip
def test_no_group_is_on_both_sides_and_none_is_lost(
    groups: list[str], share: float, seed: int
) -> None:
    rows = [row(line, group) for line, group in enumerate(groups, 2)]
    split = split_rows(rows, share, seed)
    assert {item.group for item in split.train} & {item.group for item in split.held_out} == set()
    assert sorted(split.train + split.held_out) == rows
    assert split.train
    assert split.held_out
    assert split_rows(rows, share, seed) == split


def test_another_seed_holds_out_other_groups() -> None:
    rows = [row(line, f"group {line}") for line in range(100)]
    splits = {
        tuple(item.group for item in split_rows(rows, 0.1, seed).held_out) for seed in range(5)
    }
    assert len(splits) == 5


def test_without_groups_near_duplicates_stay_together() -> None:
    rows = [row(line, None, LONG + "!" * line) for line in range(5)] + [row(9, None)]
    split = split_rows(rows, 0.5, 0)
    assert {len(split.train), len(split.held_out)} == {1, 5}


def test_one_group_cannot_be_split() -> None:
    with pytest.raises(RowsRefused, match="two groups or more"):
        split_rows([row(2, "a"), row(3, "a")], 0.1, 0)


def test_the_command_writes_both_sides_and_the_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "rows.csv"
    lines = [f"p{number},o,{number % 5},story {number % 4}" for number in range(40)]
    source.write_text("\n".join(["prompt,output,answer,story", *lines]))
    out = tmp_path / "split"
    arguments = ["split", str(source), "--out", str(out), "--share", "0.2"]
    assert main([*arguments, "--columns", "group=story"]) == 0
    assert "10 held out (1 of 4 groups)" in capsys.readouterr().out
    record = json.loads((out / "split.json").read_text())
    assert (record["seed"], record["by"], record["train_rows"]) == (0, "group", 30)
    held_out = [json.loads(line) for line in (out / "held_out.jsonl").read_text().splitlines()]
    assert len({item["group"] for item in held_out}) == 1
    assert held_out[0].keys() >= {"prompt", "output", "answer", "group", "story"}
    assert main(["check", str(out / "train.jsonl"), "--eval", str(out / "held_out.jsonl")]) == 0


@pytest.mark.parametrize("share", ["0", "1", "x", "-1", "nan"])
def test_a_share_that_is_none_is_refused(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["split", "rows.csv", "--out", "x", "--share", share])
    assert caught.value.code == 2
    assert "between 0 and 1" in capsys.readouterr().err


def test_bad_rows_refuse_the_split_unless_dropped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "rows.csv"
    source.write_text("prompt,output\na,b\nc,\nd,e\n")
    arguments = ["split", str(source), "--out", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert "line 3" in capsys.readouterr().err
    assert main([*arguments, "--bad-rows", "drop"]) == 0
