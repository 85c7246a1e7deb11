"""The small parts: steps as they come, scores of the verifier, votes."""

from pathlib import Path

import pytest

import pseudocode
from pseudocode.verifying import verifier_prompt
from service.engine.protocol import JSON
from service.solving.attempts import Draft, examine
from service.solving.options import SolvingRules
from service.solving.steps import MAX_LINES, StepReader
from service.solving.verifier import score_of
from service.solving.voting import candidates, decide
from tests.service.solving.scripted import OTHER, QUESTION, RIGHT

RULES = SolvingRules("pseudocode-verifier", 0.0, 0.0)


def steps(text: str, size: int = 1) -> list[str]:
    reader = StepReader()
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    return [f"{step.name}={step.value}" for piece in pieces for step in reader.read(piece)]


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_steps_are_told_once_however_the_text_comes(size: int) -> None:
    assert steps(RIGHT + "\n", size)[:2] == ["left=7", "total=10"]
    assert steps("a = 1\n\n  b = a + 1\nb = b * 2\nreturn b", size) == ["a=1", "b=2", "b=4"]


def test_of_lines_that_do_not_run_nothing_is_told() -> None:
    assert steps("a = 1\nb = a / 0\nc = 2\n") == ["a=1"]
    assert steps("I think\nit is\n") == []


def test_endless_lines_do_not_add_up() -> None:
    reader = StepReader()
    told = [step for line in range(10_000) for step in reader.read(f"a{line} = 1\n")]
    assert len(told) == MAX_LINES


def answer_with(*likeliest: tuple[str, float]) -> JSON:
    entries: list[JSON] = [{"token": token, "logprob": logprob} for token, logprob in likeliest]
    return {"choices": [{"logprobs": {"content": [{"top_logprobs": list(entries)}]}}]}


@pytest.mark.parametrize(
    ("likeliest", "score"),
    [
        ([("right", -0.6931472), ("wrong", -0.6931472)], 0.5),
        ([(" right", -0.1), ("the", -3.0)], 1.0),
        ([("r", -1.0), ("wr", -1.0), ("x", -0.1)], 0.5),
        ([("wrong", -0.1)], 0.0),
        ([("maybe", -0.1), ("", -0.2), (" ", -0.3)], 0.0),
        ([("right", float("nan")), ("wrong", -1.0)], 0.0),
        ([("right", float("-inf"))], 0.0),
    ],
)
def test_the_score_is_the_share_of_right(likeliest: list[tuple[str, float]], score: float) -> None:
    assert score_of(answer_with(*likeliest)) == pytest.approx(score)


def test_a_verifier_that_says_nothing_scores_nothing() -> None:
    assert score_of({}) == score_of({"choices": [{"logprobs": None}]}) == 0.0


def test_the_verifier_is_asked_in_one_form() -> None:
    asked = verifier_prompt(" How many are 3 and 2? ", "a = 3 + 2\n\n  return a \n")
    assert asked == (
        "How many are 3 and 2?\nProgram:\na = 3 + 2\n  return a\nIs the program right or wrong?"
    )


def test_doubtful_programs_do_not_vote_but_are_told() -> None:
    texts = ["x = 12 + 77\nreturn x", "x = 12 + 77\nreturn x", RIGHT]
    attempts = [examine(Draft(text, "stop"), QUESTION, None) for text in texts]
    solved = decide(attempts, {}, RULES)
    assert solved.answer == "10"
    (other,) = solved.alternatives
    assert (other.answer, other.count, other.doubt) == ("89", 2, "not_grounded")
    assert candidates(attempts) == [RIGHT]


def test_a_verifier_s_scores_are_summed_for_each_answer() -> None:
    again = "total = 3 + 12 + 5\nreturn total"
    attempts = [examine(Draft(text, "stop"), QUESTION, None) for text in (RIGHT, OTHER, again)]
    scores = {RIGHT: 0.7, OTHER: 0.5, again: 0.4}
    solved = decide(attempts, scores, RULES)
    assert (solved.answer, solved.program) == ("20", OTHER)
    assert solved.verdict.verifier_score == 0.5


def test_examining_takes_no_longer_than_it_may(tmp_path: Path) -> None:
    hostile = [
        "x = 12 ** 999\n" * 5000 + "return x",
        "(" * 30_000,
        "x = 12\n" * 40_000 + "return x",
        "#" * 70_000,
    ]
    for text in hostile:
        attempt = examine(Draft(text, "stop"), QUESTION, None)
        assert attempt.doubt in ("no_program", "not_executable")
        assert attempt.answer is None
    assert pseudocode.run(RIGHT).answer == "10"


def test_a_text_is_no_answer_to_a_question() -> None:
    text = 'a = 3 + 4\nif a > 3 then\nc = "red"\nelse\nc = "blue"\nend\nreturn c'
    assert pseudocode.run(text).answer == "red"
    attempt = examine(Draft(text, "stop"), "3 and 4?", None)
    assert attempt.doubt == "not_executable"
