"""The shipped templates hold together and read well; broken ones are refused with a reason."""

import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from training.problems import Language, Problem, ProblemError, load
from training.problems.generator import problems_of
from training.problems.templates import read

TEXTS: tuple[tuple[Language, int, int], ...] = (("en", 250, 35), ("zh", 160, 30))


@pytest.fixture(scope="module")
def english() -> list[Problem]:
    return list(samples("en"))


@pytest.fixture(scope="module")
def chinese() -> list[Problem]:
    return list(samples("zh"))


def samples(language: Language, each: int = 8) -> Iterator[Problem]:
    collection = load(language)
    for template in collection.templates:
        stream = problems_of(template, collection, seed=11, language=language, split="train")
        yield from itertools.islice(stream, each)


@pytest.mark.parametrize(("language", "templates", "families"), TEXTS)
def test_there_are_many_templates_and_families(
    language: Language, templates: int, families: int
) -> None:
    collection = load(language)
    assert len(collection.templates) >= templates
    assert len({template.family for template in collection.templates}) >= families
    for operations in (1, 2, 3):
        assert sum(t.operations == operations for t in collection.templates) >= 10


def test_nothing_of_the_template_language_is_left_in_a_problem(
    english: list[Problem], chinese: list[Problem]
) -> None:
    for problem in english + chinese:
        assert not re.search(r"[\[\]{}|]", problem.question + problem.program), problem


def test_english_questions_are_well_formed(english: list[Problem]) -> None:
    for problem in english:
        text = problem.question
        assert text.endswith("?"), text
        assert re.match(r"[A-Z0-9]", text), text
        assert not re.search(r"[.?] [a-z]", text), text
        assert not re.search(r"  | [,.?]|\s$|^\s", text), text
        assert text.isascii(), text


def test_english_articles_and_plurals_agree(english: list[Problem]) -> None:
    for problem in english:
        text = problem.question
        assert not re.search(r"\b[Aa] [aeioAEIO]", text), text
        assert not re.search(r"\b[Aa]n [^aeiouhAEIOU]", text), text
        assert not re.search(r"(?<![.$])\b1 [a-z]+s\b", text), text
        assert not re.search(r"\b([Tt]he|[Aa]|of|is|are|[Hh]ow|many) \1\b", text), text


def test_chinese_questions_are_well_formed(chinese: list[Problem]) -> None:
    for problem in chinese:
        text = problem.question
        assert text.endswith("？"), text
        assert not re.search(r"[\sa-zA-Z,.?](?<!\d\.)", text), text
        assert not re.search(r"[，。？；、]{2}", text), text
        assert not re.search(r"([个支本张只件条块颗])\1", text), text


def test_questions_and_programs_are_short(english: list[Problem], chinese: list[Problem]) -> None:
    words = [len(problem.question.split()) for problem in english]
    assert sum(words) / len(words) <= 22
    assert max(words) <= 45
    characters = [len(problem.question) for problem in chinese]
    assert sum(characters) / len(characters) <= 32
    assert max(characters) <= 70
    assert max(len(problem.program.splitlines()) for problem in english + chinese) <= 4


def test_english_names_are_short_words_and_chinese_names_chinese(
    english: list[Problem], chinese: list[Problem]
) -> None:
    for problem in english:
        for name in assigned(problem):
            assert re.fullmatch(r"[a-z]{3,10}", name), problem
    for problem in chinese:
        for name in assigned(problem):
            assert re.fullmatch(r"[\u4e00-\u9fff]{1,2}", name), problem


def test_programs_return_what_they_assigned_last(
    english: list[Problem], chinese: list[Problem]
) -> None:
    for problem in english + chinese:
        assert problem.program.splitlines()[-1] == f"return {assigned(problem)[-1]}"


def assigned(problem: Problem) -> list[str]:
    return [line.split(" = ")[0] for line in problem.program.splitlines()[:-1]]


BROKEN = [
    ("text: From {a} take {c}. What is left?", r"\{c\} is neither a number nor a word list"),
    ("text: From {a} take {b. What is left?", r"'\{' is no slot"),
    ("text: From {a} [take {b}. What is left?", r"'\[' without its '\]'"),
    ("text: From {a} take] {b}. What is left?", r"'\]' without its '\['"),
    ("text: From {a} take|remove {b}?", r"'\|' outside brackets"),
    ("text: From {a} take {b} {fruit.big}. What is left?", r"no such form; expected many, one"),
    ("text: From {a} take some. What is left?", r"number 'b' is not in the text"),
    ("numbers: {a: 4..9, b: 2-3}", r"'2-3' is no range; expected 2\.\.90"),
    ("numbers: {a: b..9, b: 2..a}", r"depend on each other"),
    ("numbers: {a: 4..9, b: 2..d}", r"\{d\} is in the program but not in the text"),
    ("program: left = {a} - {b}", r"end it with `return name`"),
    ("program: '[left] = {a}'", r"choices belong in the text"),
    ('program: "left = 3\\nreturn left"', r"0 operations; expected one to four"),
    ("colour: red", r"colour: Extra inputs are not permitted"),
    ("id: Take Away", r"id: String should match pattern"),
]


@pytest.mark.parametrize(("line", "reason"), BROKEN)
def test_a_broken_template_is_refused_with_its_reason(
    line: str, reason: str, tmp_path: Path
) -> None:
    key = line.partition(":")[0]
    lines = {
        "id": "id: take",
        "family": "family: loss",
        "text": "text: From {a} {fruit} take {b}. What is left?",
        "numbers": "numbers: {a: 4..9, b: 2..3}",
        "program": 'program: "left = {a} - {b}\\nreturn left"',
    }
    path = tmp_path / "templates.yaml"
    path.write_text(file_with(lines.values()))
    assert len(read(path).templates) == 1
    path.write_text(file_with((lines | {key: line}).values()))
    with pytest.raises(ProblemError, match=reason):
        read(path)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("fruit: {forms: [many, one], words: [apples/apple, pears]}", r"\['pears'\] do not have"),
        ("fruit: {words: [apples, apples]}", r"\['apples'\] occur twice"),
        ("fruit: {words: [apples, pears]}", r"word list 'fruit' is in no text"),
    ],
)
def test_a_broken_word_list_is_refused(words: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "templates.yaml"
    path.write_text(f"words:\n  {words}\ntemplates: []\n")
    with pytest.raises(ProblemError, match=reason):
        read(path)


def test_two_templates_with_one_id_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "templates.yaml"
    template = (
        "  - {id: sum, family: gain, text: 'What is {a} and {b}?', numbers: {a: 2..9, b: 2..9},"
        ' program: "total = {a} + {b}\\nreturn total"}\n'
    )
    path.write_text(f"words: {{}}\ntemplates:\n{template}{template}")
    with pytest.raises(ProblemError, match="sum: 2 templates have this id"):
        read(path)


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "templates.yaml"
    path.write_text("words: [")
    with pytest.raises(ProblemError, match=r"(?s)cannot be read as YAML.*Correct the file"):
        read(path)


def file_with(lines: Iterable[str]) -> str:
    return (
        "words:\n  fruit: {forms: [many, one], words: [apples/apple, pears/pear]}\n"
        "templates:\n  - " + "\n    ".join(lines) + "\n"
    )
