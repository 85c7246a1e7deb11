"""Chains are written out from programs, stay right, and are spoiled in ways that are known."""

import csv
import json
import random
from pathlib import Path

import pytest

from reasoning import check
from training.chains import corruptions, verbalise
from training.chains.cli import main
from training.problems import generate

PROGRAM = "apples = 3 * 15\nrest = apples - 5\nreturn rest"
CHAIN = "Step 1, apples: 3 * 15 = 45.\nStep 2, rest: 45 - 5 = 40.\nAnswer: 40"
CHINESE = "首先：3 × 15 = 45。\n然后：45 - 5 = 40。\n答案：40"


def test_one_program_gives_a_chain_in_either_language() -> None:
    assert verbalise(PROGRAM, "en") == CHAIN
    assert verbalise(PROGRAM, "zh") == CHINESE


def test_a_calculation_in_the_return_line_is_a_step_too() -> None:
    assert verbalise("return 2 + 3", "en") == "Step 1: 2 + 3 = 5.\nAnswer: 5"


@pytest.mark.parametrize(
    "program", ["return 1 / 3", "a = 4\nreturn a", "return min(2, 3)", "oops", "return 1 / 0"]
)
def test_what_no_chain_could_state_is_none(program: str) -> None:
    assert verbalise(program, "en") is None


@pytest.mark.parametrize("language", ["en", "zh"])
def test_generated_problems_become_chains_that_come_out(language: str) -> None:
    problems = generate(seed=3, count=150, language=language, split="train")  # type: ignore[arg-type]
    chains = [(problem, verbalise(problem.program, language)) for problem in problems]  # type: ignore[arg-type]
    written = [(problem, text) for problem, text in chains if text is not None]
    assert len(written) > 100
    for problem, text in written:
        report = check(text, problem.answer)
        assert report.consistent, text
        assert len(report.calculations) >= 1


def test_each_kind_of_corruption_is_one_small_change_that_is_found() -> None:
    for text in (CHAIN, CHINESE):
        found = {spoiled.kind: spoiled.text for spoiled in corruptions(text, seed=1)}
        assert set(found) == {"operator", "number", "order", "missing_step", "conclusion"}
        for kind, spoiled in found.items():
            assert spoiled != text
            if kind == "missing_step":
                assert len(spoiled.split("\n")) == len(text.split("\n")) - 1
            else:
                assert not check(spoiled, "40").consistent, (kind, spoiled)
        assert check(found["conclusion"], "40").answer != "40"


def test_the_same_seed_spoils_alike_and_a_wrong_chain_is_never_preferred() -> None:
    assert corruptions(CHAIN, seed=5) == corruptions(CHAIN, seed=5)
    with pytest.raises(ValueError, match="only right ones can be spoiled"):
        corruptions(CHAIN.replace("45.", "46."), seed=1)


def test_random_chains_are_spoiled_without_an_error() -> None:
    draw = random.Random(11)  # noqa: S311  # data, not secrets
    for _ in range(200):
        left, right = draw.randint(0, 999), draw.randint(1, 99)
        text = verbalise(f"a = {left} {draw.choice('+-*')} {right}\nreturn a", "en")
        assert text is not None
        for spoiled in corruptions(text, seed=draw.randint(0, 99)):
            assert not check(spoiled.text, check(text).answer).consistent


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_rows_become_chains_and_chains_become_pairs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rows.csv").write_text(
        f'prompt,output,source\nHow many?,"{PROGRAM}",t1\nBad?,oops,t2\nA third?,return 1 / 3,t3\n'
    )
    chains, pairs = tmp_path / "chains.csv", tmp_path / "pairs.csv"
    assert main(["programs", str(tmp_path / "rows.csv"), "--out", str(chains)]) == 0
    told = capsys.readouterr().out
    assert "1  cannot be written out" in told
    assert "1  left out: program_fails" in told
    assert _rows(chains) == [
        {"prompt": "How many?", "output": CHAIN, "answer": "40", "language": "en", "group": "t1"}
    ]
    assert main(["spoil", str(chains), "--out", str(pairs)]) == 0
    written = _rows(pairs)
    assert len(written) == 5
    assert {row["chosen"] for row in written} == {CHAIN}
    assert {row["group"] for row in written} == {"t1"}


def test_rows_may_be_json_lines_as_the_builders_write_them(tmp_path: Path) -> None:
    row = {"prompt": "How many?", "output": PROGRAM, "answer": "40", "template": "t1"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    chains, pairs = tmp_path / "chains.jsonl", tmp_path / "pairs.csv"
    assert main(["programs", str(tmp_path / "rows.jsonl"), "--out", str(chains)]) == 0
    assert json.loads(chains.read_text())["group"] == "t1"
    assert main(["spoil", str(chains), "--out", str(pairs)]) == 0
    assert len(_rows(pairs)) == 5


def test_solutions_of_gsm8k_are_kept_only_if_they_come_out(tmp_path: Path) -> None:
    right = {"question": "Q?", "answer": "It is 2*3=<<2*3=6>>6.\n#### 6"}
    wrong = {"question": "R?", "answer": "It is 2*3=<<2*3=7>>7.\n#### 7"}
    source = tmp_path / "train.jsonl"
    source.write_text("\n".join(map(json.dumps, (right, wrong))))
    assert main(["gsm8k", str(source), "--out", str(tmp_path / "out.csv")]) == 0
    assert [row["output"] for row in _rows(tmp_path / "out.csv")] == ["It is 2*3=6.\nAnswer: 6"]


@pytest.mark.parametrize("content", ["a,b\n1,2\n", 'prompt,output\n"open,1\n', ""])
def test_a_file_of_another_kind_ends_in_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    (tmp_path / "rows.csv").write_text(content)
    assert main(["spoil", str(tmp_path / "rows.csv"), "--out", str(tmp_path / "out.csv")]) == 2
    assert capsys.readouterr().err.startswith("training.chains: ")
    assert main(["gsm8k", str(tmp_path / "none"), "--out", str(tmp_path / "out.csv")]) == 2
