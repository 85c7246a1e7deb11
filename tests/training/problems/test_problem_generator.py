"""Problems are right, distinct, reproducible, and evaluation never meets training."""

import itertools
import re
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

import pseudocode
from training.problems import (
    Language,
    Problem,
    ProblemError,
    Split,
    generate,
    generator,
    held_out,
    load,
)
from training.problems.generator import problems_of
from training.problems.templates import read

LANGUAGES: tuple[Language, ...] = ("en", "zh")
CONSTANTS = {"1", "2", "3", "4", "5", "6", "7", "8", "10", "12", "24", "60", "100", "1000"}
"""What programs may contain beside the question's numbers: word numbers, percent, units."""


def drawn(language: Language, split: Split, count: int, seed: int = 0) -> list[Problem]:
    return generate(seed=seed, count=count, language=language, split=split)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_template_gives_fifty_distinct_problems(language: Language) -> None:
    collection = load(language)
    kept = held_out(collection.templates)
    for template in collection.templates:
        split: Split = "unseen" if template.id in kept else "train"
        stream = problems_of(template, collection, seed=3, language=language, split=split)
        questions = {problem.question for problem in itertools.islice(stream, 50)}
        assert len(questions) == 50, f"{template.id} gave only {len(questions)} problems"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_trained_template_can_be_evaluated_on_new_numbers(language: Language) -> None:
    trained = {problem.template for problem in drawn(language, "train", 500)}
    per_template = Counter(problem.template for problem in drawn(language, "seen", 1500))
    assert set(per_template) == trained
    assert min(per_template.values()) >= 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_answer_is_what_running_the_program_gives(language: Language) -> None:
    for problem in drawn(language, "train", 500):
        result = pseudocode.run(problem.program, pseudocode.Limits(timeout_s=60))
        assert result.error is None
        assert result.answer == problem.answer
        assert all(Fraction(step.value) > 0 for step in result.trace), problem


@pytest.mark.parametrize("language", LANGUAGES)
def test_programs_write_numbers_as_the_question_does(language: Language) -> None:
    for problem in drawn(language, "train", 1000) + drawn(language, "unseen", 200):
        in_question = set(re.findall(r"\d+(?:\.\d+)?", problem.question))
        in_program = set(re.findall(r"\b\d+(?:\.\d+)?", problem.program))
        assert in_program <= in_question | CONSTANTS, problem


@pytest.mark.parametrize("split", ["train", "seen", "unseen"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_seed_gives_the_same_problems_and_more_only_appends(
    language: Language, split: Split
) -> None:
    assert drawn(language, split, 200) == drawn(language, split, 250)[:200]
    assert drawn(language, split, 100, seed=1) != drawn(language, split, 100, seed=2)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_question_is_both_trained_and_evaluated_whatever_the_seeds(language: Language) -> None:
    trained = {p.question for seed in (0, 1) for p in drawn(language, "train", 1500, seed)}
    seen = {p.question for seed in (0, 7) for p in drawn(language, "seen", 600, seed)}
    unseen = {p.question for seed in (0, 7) for p in drawn(language, "unseen", 600, seed)}
    assert not trained & seen
    assert not trained & unseen
    assert not seen & unseen


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_are_distinct_and_templates_balanced(language: Language) -> None:
    problems = drawn(language, "train", 1500)
    assert len({problem.question for problem in problems}) == 1500
    per_template = Counter(problem.template for problem in problems)
    assert max(per_template.values()) - min(per_template.values()) <= 1


def test_a_thousand_problems_take_less_than_two_seconds() -> None:
    drawn("en", "train", 1)
    start = time.process_time()
    drawn("en", "train", 1000)
    assert time.process_time() - start < 2


def test_numbers_have_every_length() -> None:
    numbers = [
        number
        for problem in drawn("en", "train", 1000)
        for number in re.findall(r"\d+(?:\.\d+)?", problem.question)
    ]
    for length in (1, 2, 3):
        assert sum(len(number) == length for number in numbers) > len(numbers) / 10
    assert any("." in number for number in numbers)
    assert any(len(number) == 4 and "." not in number for number in numbers)


def test_asking_for_more_than_there_is_says_how_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = read(small(tmp_path, "left = {a} - {b}"))
    monkeypatch.setattr(generator, "load", lambda language: collection)
    with pytest.raises(ProblemError, match=r"cannot draw 7 .* gave \d distinct ones.*fewer"):
        drawn("en", "train", 7)


def test_a_program_that_does_not_run_is_named(tmp_path: Path) -> None:
    collection = read(small(tmp_path, "left = {a} - rest + {b}"))
    stream = problems_of(collection.templates[0], collection, seed=0, language="en", split="train")
    with pytest.raises(ProblemError, match=r"template take: .*\n.*left = \d - rest"):
        next(stream)


def small(folder: Path, line: str) -> Path:
    """Write a file with one template of six number pairs."""
    path = folder / "templates.yaml"
    path.write_text(
        "words: {}\ntemplates:\n"
        "  - id: take\n    family: loss\n    text: From {a} take {b}. What is left?\n"
        "    numbers: {a: 4..6, b: 2..3}\n"
        f"    program: |\n      {line}\n      return left\n"
    )
    return path
