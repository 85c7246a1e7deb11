"""Solutions of public data sets become programs that say which number is which."""

import csv
import json
import random
from fractions import Fraction
from pathlib import Path

import pytest

import pseudocode
from training.conversion import Candidate, Dropped, Row, Solution, convert
from training.conversion.arithmetic import number, tokenised, written
from training.conversion.cli import main
from training.conversion.forms import Form, name_from
from training.conversion.linking import split_at_parentheses, values_of

GSM_ROW = {
    "question": "Natalia sold 48 clips in April and half as many in May. How many in all?",
    "answer": "She sold 48/2 = <<48/2=24>>24 clips in May.\n"
    "That is 48+24 = <<48+24=72>>72 clips altogether.\n#### 72",
}
APE_ROW = {
    "id": "1",
    "original_text": "有50个数的平均数是83，去掉的两个数的和是118，剩下的平均数是多少？",
    "ans": "84",
    "equation": "x=(83*50-118)/(50-2)",
}
TAL_ROW = {
    "queId": "q",
    "problem": "1. 每盒$$3$$支，$$4$$盒再加$$5$$支一共多少支？",
    "answer_option_list": [
        [{"aoVal": "A", "content": "$$12$$ "}],
        [{"aoVal": "B", "content": "$$17$$ "}],
    ],
    "answer_analysis": ["$$3\\times 4=12$$，$$12+5=17$$． "],
    "answer_value": "B",
}


def _convert(tmp_path: Path, data_set: str, *rows: object, form: Form = "named") -> list[list[str]]:
    source, out = tmp_path / "source.json", tmp_path / "rows.csv"
    source.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    arguments = [data_set, str(source), "--form", form, "--split", "all", "--out", str(out)]
    assert main(arguments) == 0
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


@pytest.mark.parametrize(
    ("form", "program"),
    [
        ("named", "clips_may = 48 / 2\nclips_altogether = 48 + clips_may\nreturn clips_altogether"),
        ("steps", "step1 = 48 / 2\nstep2 = 48 + step1\nreturn step2"),
        ("slots", "n1 = 48\nn2 = 2\nstep1 = n1 / n2\nstep2 = n1 + step1\nreturn step2"),
    ],
)
def test_each_form_says_that_the_24_of_the_second_step_is_the_first_result(
    tmp_path: Path, form: Form, program: str
) -> None:
    [row] = _convert(tmp_path, "gsm8k", GSM_ROW, form=form)
    assert row[:4] == [GSM_ROW["question"], program, "72", "en"]


def test_results_of_one_unit_are_told_apart_by_the_words_their_sentences_begin_with(
    tmp_path: Path,
) -> None:
    answer = (
        "The pens cost 3*2 = $<<3*2=6>>6. The books cost 4*5 = $<<4*5=20>>20.\n"
        "He pays 6+20 = $<<6+20=26>>26 in total.\n#### 26"
    )
    question = "3 pens cost $2 each, 4 books $5 each. What are they in all?"
    [row] = _convert(tmp_path, "gsm8k", {"question": question, "answer": answer})
    assert row[1] == (
        "dollars_pens = 3 * 2\ndollars_books = 4 * 5\n"
        "dollars_total = dollars_pens + dollars_books\nreturn dollars_total"
    )


def test_an_equation_becomes_one_step_for_what_stands_in_parentheses(tmp_path: Path) -> None:
    [row] = _convert(tmp_path, "ape210k", APE_ROW)
    assert row[1] == "步骤1 = 83 * 50 - 118\n步骤2 = 50 - 2\n步骤3 = 步骤1 / 步骤2\nreturn 步骤3"


def test_the_equations_of_a_competition_answer_become_steps(tmp_path: Path) -> None:
    [row] = _convert(tmp_path, "tal_scq5k", TAL_ROW)
    assert row[:3] == [
        "每盒3支，4盒再加5支一共多少支？",
        "步骤1 = 3 * 4\n步骤2 = 步骤1 + 5\nreturn 步骤2",
        "17",
    ]


def test_changing_the_numbers_of_the_question_changes_the_answer_of_the_program() -> None:
    candidate = Candidate(
        "s",
        "en",
        "A pen costs 3 dollars and a book 4 times as much. What do 2 of each cost?",
        (
            Solution(("3", "*", "4"), Fraction(12)),
            Solution(("3", "+", "12"), Fraction(15)),
            Solution(("15", "*", "2"), Fraction(30)),
        ),
        Fraction(30),
    )
    row = convert(candidate, "steps")
    assert isinstance(row, Row)
    changed = row.output.replace("3", "5", 1).replace("= 3 +", "= 5 +")
    assert pseudocode.run(changed).answer == str((5 * 4 + 5) * 2)


@pytest.mark.parametrize(
    ("steps", "gold", "reason"),
    [
        ([Solution(("2", "+", "2"), Fraction(5))], 5, "step_is_wrong"),
        ([Solution(("2", "+", "2"), Fraction(4))], 7, "answer_not_reached"),
        ([Solution(("7",), Fraction(7))], 7, "nothing_to_compute"),
    ],
)
def test_a_solution_that_cannot_be_trusted_is_dropped_with_its_reason(
    steps: list[Solution], gold: int, reason: str
) -> None:
    outcome = convert(Candidate("s", "en", "2 and 2?", tuple(steps), Fraction(gold)), "named")
    assert isinstance(outcome, Dropped)
    assert outcome.reason == reason


def test_steps_the_answer_does_not_need_and_copies_of_steps_are_left_out() -> None:
    steps = (
        Solution(("6", "*", "7"), Fraction(42)),
        Solution(("2", "+", "3"), Fraction(5)),
        Solution(("5",), Fraction(5)),
        Solution(("5", "*", "9"), Fraction(45)),
    )
    row = convert(Candidate("s", "en", "2, 3, 6, 7, 9?", steps, Fraction(45)), "steps")
    assert isinstance(row, Row)
    assert row.output == "step1 = 2 + 3\nstep2 = step1 * 9\nreturn step2"


def test_one_number_twice_in_a_calculation_is_only_once_the_earlier_result() -> None:
    steps = (
        Solution(("5", "*", "2"), Fraction(10)),
        Solution(("10", "*", "10"), Fraction(100)),
    )
    row = convert(
        Candidate("s", "en", "10 pages on 5 days, 2 weeks?", steps, Fraction(100)), "steps"
    )
    assert isinstance(row, Row)
    assert "step2 = step1 * 10" in row.output


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("1,200 x 5%", "1200 * (5 / 100)"),
        ("$.5*4", "0.5 * 4"),
        ("3\\times 4\\div 2", "3 * 4 / 2"),
        ("\\frac{1}{3}+1", "(1 / 3) + 1"),
        ("12(1/2)-007", "(12 + (1 / 2)) - 7"),
        ("-3+[2*(4-1)]", "-3 + (2 * (4 - 1))"),
        ("+5+6", "5 + 6"),
        ("２×３", "2 * 3"),
    ],
)
def test_arithmetic_is_read_as_data_sets_write_it(text: str, program: str) -> None:
    tokens = tokenised(text)
    assert tokens is not None
    assert written(tokens) == program


@pytest.mark.parametrize("text", ["3*+6", "a+1", "1/0", "", "(1", "1 2"])
def test_what_is_no_arithmetic_is_none(text: str) -> None:
    assert tokenised(text) is None


def test_numbers_are_read_with_units_of_money_and_as_fractions() -> None:
    assert number(" $1,000 ") == 1000
    assert number("(11/20)") == Fraction(11, 20)
    assert number("3(7/12)") == Fraction(43, 12)
    assert number("乙") is None


def test_splitting_at_parentheses_keeps_the_value_of_random_expressions() -> None:
    draw = random.Random(7)  # noqa: S311  # data, not secrets
    for _ in range(300):
        text = _expression(draw, 4)
        tokens = tokenised(text)
        if tokens is not None:
            steps = split_at_parentheses(tokens)
            assert values_of(steps)[-1] == pseudocode.run(f"return {written(tokens)}").value, text


def test_a_name_is_made_of_the_first_telling_words_or_there_is_none() -> None:
    assert name_from(" clips in the month of May") == "clips_month"
    assert name_from(" of the") is None
    assert name_from(" return") is None


@pytest.mark.parametrize("data_set", ["gsm8k", "ape210k", "tal_scq5k"])
@pytest.mark.parametrize("content", ["not json", "[]", '{"question": 3}', "{}"])
def test_a_file_of_another_kind_ends_in_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data_set: str, content: str
) -> None:
    source = tmp_path / "other.json"
    source.write_text(content)
    assert main([data_set, str(source), "--out", str(tmp_path / "rows.csv")]) == 2
    assert "line 1 is no row of" in capsys.readouterr().err
    assert not (tmp_path / "rows.csv").exists()


def test_a_missing_file_and_a_binary_one_end_in_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("missing", "binary"):
        assert main(["gsm8k", str(tmp_path / name), "--out", str(tmp_path / "rows.csv")]) == 2
        assert "cannot read" in capsys.readouterr().err


def test_the_same_question_twice_is_kept_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(_convert(tmp_path, "gsm8k", GSM_ROW, GSM_ROW)) == 1
    assert "repeated_question" in capsys.readouterr().out


def test_what_was_dropped_is_written_with_its_reason(tmp_path: Path) -> None:
    source, dropped = tmp_path / "source.jsonl", tmp_path / "dropped.csv"
    source.write_text(json.dumps({"question": "?", "answer": "None.\n#### 7"}))
    arguments = [str(source), "--out", str(tmp_path / "rows.csv"), "--dropped", str(dropped)]
    assert main(["gsm8k", *arguments]) == 0
    assert "gsm8k/train/1,no_steps," in dropped.read_text()


def _expression(draw: random.Random, depth: int) -> str:
    if depth == 0 or draw.random() < 0.2:
        return str(draw.randint(1, 40))
    left, right = _expression(draw, depth - 1), _expression(draw, depth - 1)
    text = f"{left}{draw.choice('+-*/')}{right}"
    return f"({text})" if draw.random() < 0.6 else text


def test_a_program_with_a_number_computed_in_the_head_is_dropped_on_request(tmp_path: Path) -> None:
    source, out = tmp_path / "train.jsonl", tmp_path / "rows.csv"
    question = "A park charges $12 admission and $6 for a tour. What do 10 people pay for both?"
    solutions = [
        "18*10=<<18*10=180>>180\n#### 180",
        "12+6=<<12+6=18>>18\n18*10=<<18*10=180>>180\n#### 180",
    ]
    source.write_text(
        "".join(
            json.dumps({"question": f"{question} ({place})", "answer": solution}) + "\n"
            for place, solution in enumerate(solutions, start=1)
        )
    )
    arguments = ["gsm8k", str(source), "--out", str(out), "--split", "all"]
    assert main(arguments) == 0
    assert out.read_text().count("return") == 2
    dropped = tmp_path / "dropped.csv"
    assert main([*arguments, "--grounded", "--dropped", str(dropped)]) == 0
    assert out.read_text().count("return") == 1
    assert "gsm8k/train/1,number_from_nowhere,18 is neither" in dropped.read_text()
