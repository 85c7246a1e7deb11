"""What is kept for evaluation is decided by rule, and is unlike what is trained."""

from collections import Counter
from pathlib import Path

import pytest

from training.problems import Language, generate, held_out, is_reserved, load
from training.problems.splits import MOST_OVERLAP, overlap, vocabulary
from training.problems.templates import Template, read

LANGUAGES: tuple[Language, ...] = ("en", "zh")


def divided(language: Language) -> tuple[list[Template], list[Template]]:
    """Return trained and held-out templates."""
    templates = load(language).templates
    kept = held_out(templates)
    return [t for t in templates if t.id not in kept], [t for t in templates if t.id in kept]


@pytest.mark.parametrize("language", LANGUAGES)
def test_about_a_fifth_of_the_templates_is_held_out(language: Language) -> None:
    trained, unseen = divided(language)
    assert 0.15 <= len(unseen) / (len(trained) + len(unseen)) <= 0.25


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_held_out_template_has_trained_relatives(language: Language) -> None:
    trained, unseen = divided(language)
    for template in unseen:
        relatives = [t for t in trained if t.family == template.family]
        assert len(relatives) >= 2
        assert any(t.operations == template.operations for t in relatives)


@pytest.mark.parametrize("language", LANGUAGES)
def test_held_out_texts_are_unlike_every_trained_one(language: Language) -> None:
    trained, unseen = divided(language)
    for template in unseen:
        nearest = max(trained, key=lambda other: overlap(vocabulary(template), vocabulary(other)))
        share = overlap(vocabulary(template), vocabulary(nearest))
        assert share <= MOST_OVERLAP, f"{template.id} is {share:.0%} like {nearest.id}"
        assert normalised(template) not in {normalised(other) for other in trained}


@pytest.mark.parametrize("language", LANGUAGES)
def test_held_out_templates_are_as_long_as_trained_ones(language: Language) -> None:
    trained, unseen = divided(language)
    mean = {
        name: sum(t.operations for t in group) / len(group)
        for name, group in (("trained", trained), ("unseen", unseen))
    }
    assert abs(mean["trained"] - mean["unseen"]) < 0.4


def normalised(template: Template) -> str:
    return " ".join("".join(template.text.literals()).lower().split())


def test_a_template_with_a_double_is_never_held_out(tmp_path: Path) -> None:
    texts = {
        "gain-one": "A shop had {a} red hats. {b} more were bought. How many are there?",
        "gain-two": "A shop had {a} red caps. {b} more were bought. How many are there?",
        "gain-three": "The sum of {a} kids joined by {b} other people in May equals what number?",
    }
    path = tmp_path / "templates.yaml"
    path.write_text(
        "words: {}\ntemplates:\n"
        + "".join(
            f"  - {{id: {name}, family: gain, text: '{text}', numbers: {{a: 2..9, b: 2..9}},"
            ' program: "total = {a} + {b}\\nreturn total"}\n'
            for name, text in texts.items()
        )
    )
    assert held_out(read(path).templates) == {"gain-three"}


def test_the_choice_does_not_depend_on_the_order_of_the_file() -> None:
    templates = load("en").templates
    assert held_out(templates) == held_out(templates[::-1])


def test_a_fifth_of_all_number_pairs_is_reserved_and_words_do_not_matter() -> None:
    reserved = [is_reserved(f"Add {a} and {b}.") for a in range(100) for b in range(a, 100)]
    assert 0.18 < sum(reserved) / len(reserved) < 0.22
    assert is_reserved("Add 2.5 and 17.") == is_reserved("17 apples cost $2.5 each. How much?")


def test_problems_carry_the_split_they_were_drawn_for() -> None:
    for split in ("train", "seen", "unseen"):
        problems = generate(seed=0, count=200, language="en", split=split)
        assert {problem.split for problem in problems} == {split}
        assert all(is_reserved(p.question) == (split != "train") for p in problems)
        kept = held_out(load("en").templates)
        assert Counter(p.template in kept for p in problems) == {split == "unseen": 200}
