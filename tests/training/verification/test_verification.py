"""A solver's own programs become rows: run, told right from wrong, balanced, never parted."""

import csv
import json
from pathlib import Path

import pytest
from openai import AsyncOpenAI
from rich.console import Console

from pseudocode.verifying import verifier_prompt
from tests.service.running import listening
from tests.service.solving.scripted import ScriptedEngine, store_with_solver
from tests.training.verification.fake_solver import FakeSolver, serving
from training.data_split import split_rows
from training.rows import Row, read_rows
from training.tasks import TASKS
from training.verification import cli
from training.verification.cli import Settings, draw_missing, main
from training.verification.drawing import Manner
from training.verification.judging import balanced, judge, solved_rows

PENS = "Ann has 12 pens, loses 5 and buys 3 more. How many has she?"
CARS = "Bob sees 4 cars with 4 wheels each. How many wheels?"
EGGS = "Eve has 9 eggs and eats 2. How many are left?"
QUESTIONS = {
    PENS: ("left = 12 - 5\ntotal = left + 3\nreturn total", "10"),
    CARS: ("return 4 * 4", "16"),
    EGGS: ("return 9 - 2", "7"),
}
WRITTEN = {
    PENS: ["return 12 - 5 + 3", "return 12 + 5 + 3", "return  12 - 5 + 3", "a = 12 - 5\nb = a + 3\nreturn b"],
    CARS: ["return 4 + 4", "return 4 * 4", "return (", "x = 16\nreturn x"],
    EGGS: ["return 9 + 2", "return 9 * 2", "…", "return 1 / 0"],
}  # fmt: skip


def questions(tmp_path: Path, *, without_answer: bool = False) -> Path:
    path = tmp_path / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["prompt", "output", "answer", "source"])
        for place, (question, (program, answer)) in enumerate(QUESTIONS.items()):
            writer.writerow([question, program, "" if without_answer else answer, f"own/{place}"])
    return path


def arguments(tmp_path: Path, url: str, *more: str) -> list[str]:
    return [
        *("--url", url, "--model", "pseudocode@1", "--questions", str(tmp_path / "rows.csv")),
        *("--out", str(tmp_path / "verifier.csv"), *more),
    ]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def asked(question: str) -> Row:
    program, answer = QUESTIONS[question]
    return Row(1, question, program, answer, {})


def test_rows_are_balanced_distinct_and_in_the_form_that_is_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions(tmp_path)
    solver = FakeSolver(WRITTEN)
    with serving(solver) as url:
        assert main(arguments(tmp_path, url)) == 0
    rows = read(tmp_path / "verifier.csv")
    # Right: 2 of PENS and 2 of CARS; wrong: 1 of PENS, 1 of CARS, 2 of EGGS.
    assert len(rows) == 8
    assert sum(row["output"] == "right" for row in rows) == 4
    assert len({row["prompt"] for row in rows}) == 8
    assert {
        "prompt": verifier_prompt(PENS, "return 12 + 5 + 3"),
        "output": "wrong",
        "group": "own/0",
    } in rows
    sheet = read_rows(tmp_path / "verifier.csv", TASKS["verifier"], {})
    assert (len(sheet.rows), sheet.problems) == (8, [])
    out = capsys.readouterr().out
    assert "3 questions, 11 programs; 8 distinct ones compute a number: 4 right, 4 wrong" in out
    assert "2 questions with a right one" in out
    assert "3/3 questions  0 s left" in out


def test_programs_are_drawn_bare_several_at_once_and_under_the_grammar(tmp_path: Path) -> None:
    questions(tmp_path)
    solver = FakeSolver(WRITTEN)
    with serving(solver) as url:
        assert main(arguments(tmp_path, url, "--samples", "2", "--temperature", "0.5")) == 0
        assert (
            main(arguments(tmp_path, url, "--grammar", "none", "--out", f"{tmp_path}/b.csv")) == 0
        )
    first, last = solver.asked[0], solver.asked[-1]
    assert (first["n"], first["temperature"], first["top_p"]) == (2, 0.5, 0.95)
    assert first["solve"] is False
    assert "start:" in first["structured_outputs"]["grammar"]
    assert "structured_outputs" not in last


def test_a_split_never_parts_the_rows_of_a_question(tmp_path: Path) -> None:
    questions(tmp_path)
    with serving(FakeSolver(WRITTEN)) as url:
        assert main(arguments(tmp_path, url)) == 0
    rows = read_rows(tmp_path / "verifier.csv", TASKS["verifier"], {}).rows
    split = split_rows(rows, 0.3, 0)
    sides = [{row.prompt.split("\n")[0] for row in side} for side in (split.train, split.held_out)]
    assert sides[0]
    assert sides[1]
    assert not sides[0] & sides[1]


def test_an_interrupted_draw_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions(tmp_path)
    cut = FakeSolver(WRITTEN, fails_at=(EGGS,))
    with serving(cut) as url:
        assert main(arguments(tmp_path, url, "--concurrency", "1")) == 2
    assert "the same command goes on from there" in capsys.readouterr().err
    assert not (tmp_path / "verifier.csv").exists()
    journal = tmp_path / "verifier.csv.drawn.jsonl"
    # As a kill in the middle of a line leaves it.
    journal.write_text(journal.read_text("utf-8") + '["half a li', "utf-8")
    solver = FakeSolver(WRITTEN)
    with serving(solver) as url:
        assert main(arguments(tmp_path, url)) == 0
    assert [body["messages"][0]["content"] for body in solver.asked] == [EGGS]
    assert len(read(tmp_path / "verifier.csv")) == 8
    assert "2 of 3 questions were drawn before" in capsys.readouterr().out
    # Nothing is asked any more, so that no service is needed.
    assert main(arguments(tmp_path, "http://127.0.0.1:1")) == 0


def test_a_journal_of_another_draw_or_version_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions(tmp_path)
    with serving(FakeSolver(WRITTEN, fails_at=(EGGS,))) as url:
        main(arguments(tmp_path, url, "--concurrency", "1"))
        assert main(arguments(tmp_path, url, "--samples", "8")) == 2
    assert "Delete that file to draw anew" in capsys.readouterr().err
    newer = FakeSolver(WRITTEN)
    newer.model = "pseudocode@2"
    with serving(newer) as url:
        assert main(arguments(tmp_path, url)) == 2
    assert "'pseudocode@2' answers now" in capsys.readouterr().err
    (tmp_path / "verifier.csv.drawn.jsonl").write_text("no journal\n", "utf-8")
    assert main(arguments(tmp_path, "http://127.0.0.1:1")) == 2
    assert "it begins with 'no journal'" in capsys.readouterr().err


def test_own_right_ways_become_rows_of_the_solver(tmp_path: Path) -> None:
    questions(tmp_path)
    out = tmp_path / "solved.jsonl"
    with serving(FakeSolver(WRITTEN)) as url:
        assert main(arguments(tmp_path, url, "--out-solved", str(out))) == 0
    # Not the given way under other names, and not a number from nowhere.
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert rows == [
        {"prompt": PENS, "output": "return 12 - 5 + 3", "answer": "10", "group": "own/0"}
    ]


def test_a_second_way_is_kept_beside_the_first_when_both_are_trained_on(tmp_path: Path) -> None:
    path = tmp_path / "both.csv"
    path.write_text(
        "prompt,output,answer\nq,return 1 + 2,3\nq,return 2 + 1,3\nq,return 2 + 1,3\nq,return 4,4\n"
    )
    sheet = read_rows(path, TASKS["pseudocode"], {})
    assert [row.line for row in sheet.rows] == [2, 3]
    assert [(problem.line, problem.code) for problem in sheet.problems] == [
        (4, "duplicate"),
        (5, "prompt_conflict"),
    ]


def test_right_programs_are_judged_by_value_whatever_their_form() -> None:
    row = Row(1, "Half of 5?", "return 5 / 2", "2.5", {})
    judged = judge(row, ["return 5 / 2", "return 5/2", "return 5 * 0.5", "return 5", 'return "5"'])
    assert [(one.program, one.right) for one in judged] == [
        ("return 5 / 2", True),
        ("return 5 * 0.5", True),
        ("return 5", False),
    ]


def test_of_the_more_frequent_kind_contrasts_come_first_then_one_of_each_question() -> None:
    judged = [
        *judge(asked(EGGS), [f"return 9 + {number}" for number in range(10)]),
        *judge(asked(CARS), ["return 4 + 4", "return 4 - 4"]),
        *judge(asked(PENS), ["return 12 - 5 + 3", "return 12", "return 3", "return 5"]),
    ]
    right = judge(asked(PENS), ["return 3 + 7", "return 10 * 1", "return 20 / 2", "return 5 + 5"])
    chosen = [one for one in balanced([*judged, *right]) if not one.right]
    assert len(chosen) == 5
    counts = [sum(one.question.prompt == text for one in chosen) for text in (PENS, CARS, EGGS)]
    assert counts[0] == 3
    assert sorted(counts[1:]) == [1, 1]
    assert balanced(judged[:10]) == []


def test_a_program_right_by_luck_is_no_row_of_the_solver() -> None:
    programs = ["x = 9\nreturn 9 - 2", "return 14 / 2", "return 9 - 1 - 1"]
    assert [row[1] for row in solved_rows(judge(asked(EGGS), programs))] == ["return 9 - 1 - 1"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"--questions": "none.csv"}, "No such file"),
        ({"--out": "verifier.txt"}, "ends in .csv or .jsonl"),
        ({"--out-solved": "rows.csv/x.csv"}, "Choose a folder"),
        ({"--model": "novel@1"}, "there is no such model"),
        ({"--url": "http://127.0.0.1:1"}, "Expected a running service"),
        ({"--samples": "9"}, "less than or equal to 8"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, str], message: str
) -> None:
    questions(tmp_path)
    solver = FakeSolver(WRITTEN)
    with serving(solver) as url:
        more = [
            text
            if text.startswith(("--", "http")) or "@" in text or text.isdigit()
            else str(tmp_path / text)
            for pair in change.items()
            for text in pair
        ]
        assert main(arguments(tmp_path, url, *more)) == 2
    assert message in capsys.readouterr().err.replace("\n", " ")
    assert solver.asked == []


def test_questions_without_answers_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions(tmp_path, without_answer=True)
    assert main(arguments(tmp_path, "http://127.0.0.1:1")) == 2
    assert "3 row(s) without an answer, the first at line 2" in capsys.readouterr().err


def test_programs_of_one_kind_alone_teach_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions(tmp_path)
    with serving(FakeSolver({question: ["return 1"] for question in QUESTIONS})) as url:
        assert main(arguments(tmp_path, url)) == 2
    assert "a verifier needs right and wrong ones" in capsys.readouterr().err


async def test_the_service_itself_gives_bare_programs(tmp_path: Path) -> None:
    """Against the real app: no answer as a comment below them, and all of them at once."""
    engine = ScriptedEngine(drawn=["return 12 - 5 + 3", "return 12 + 5 + 3"])
    settings = Settings(
        model="pseudocode@1", questions=tmp_path / "rows.csv", out=tmp_path / "verifier.csv"
    )
    async with listening(engine, store_with_solver(tmp_path)) as app:
        address = str(app.client.base_url.join("/v1"))
        async with AsyncOpenAI(base_url=address, api_key="none") as client:
            manner = Manner("pseudocode@1", 4, 0.7, constrained=True, max_tokens=None)
            drawn = await draw_missing(client, manner, [PENS], settings, Console(quiet=True))
    assert drawn[PENS].programs == ["return 12 - 5 + 3", "return 12 + 5 + 3"] * 2
    assert drawn[PENS].served_by == "pseudocode@1"
    assert engine.bodies[0]["n"] == 4


def test_stopping_it_by_hand_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    questions(tmp_path)
    monkeypatch.setattr(cli, "draw", stopped)
    with serving(FakeSolver(WRITTEN)) as url:
        assert main(arguments(tmp_path, url)) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
