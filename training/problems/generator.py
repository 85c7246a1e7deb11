"""Draw word problems from templates; the answer of each is what its program computes.

A draw is kept when running its program gives only positive values of the declared kind, so no
template carries an answer and none is believed. This module does not write files.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pseudocode
from training.problems.errors import ProblemError
from training.problems.splits import Split, held_out, is_reserved
from training.problems.templates import Collection, Language, Template, list_name, load
from training.problems.wording import Slot

_PATIENCE = 2000
"""Draws in a row without a new problem after which a template counts as exhausted."""

# The programs are ours and a few lines long: a busy machine must not make one fail.
_PATIENT = pseudocode.Limits(timeout_s=60.0)

_SENTENCE_START = re.compile(r"(?:^|[.?!] )[a-z]")


@dataclass(frozen=True)
class Problem:
    """A question, the program that answers it, and the answer that running the program gave."""

    question: str
    program: str
    answer: str
    language: Language
    template: str
    family: str
    operations: int
    split: Split


def generate(*, seed: int, count: int, language: Language, split: Split) -> list[Problem]:
    """Draw distinct problems, in turn from every template of the split.

    The same arguments give the same problems, and a larger count only appends to a smaller one.
    No question of `seen` or `unseen` equals one of `train`, whatever the seeds and counts.

    Raises:
        ProblemError: The templates cannot give that many distinct problems.
    """
    collection = load(language)
    kept = held_out(collection.templates)
    streams = {
        template.id: problems_of(template, collection, seed=seed, language=language, split=split)
        for template in collection.templates
        if (template.id in kept) == (split == "unseen")
    }
    order = random.Random(f"{seed}/{language}/{split}")  # noqa: S311  # data, not secrets
    found: dict[str, Problem] = {}
    while streams and len(found) < count:
        for template_id in order.sample(sorted(streams), len(streams)):
            problem = next(streams[template_id], None)
            if problem is None:
                del streams[template_id]
            else:
                found.setdefault(problem.question, problem)
    if len(found) < count:
        raise ProblemError(
            f"cannot draw {count} problems ({language}, {split}): the templates gave {len(found)} "
            "distinct ones. Ask for fewer, or add templates."
        )
    return list(found.values())[:count]


def problems_of(
    template: Template, collection: Collection, *, seed: int, language: Language, split: Split
) -> Iterator[Problem]:
    """Yield distinct problems of one template until no new one is found for a long time.

    Raises:
        ProblemError: The template's program does not run.
    """
    rng = random.Random(f"{seed}/{language}/{split}/{template.id}")  # noqa: S311  # as above
    seen: set[str] = set()
    barren = 0
    while barren < _PATIENCE:
        barren += 1
        drawn = _draw(template, collection, rng)
        if drawn is None or drawn[0] in seen or is_reserved(drawn[0]) == (split == "train"):
            continue
        question, program = drawn
        answer = _plausible_answer(program, template)
        if answer is None:
            continue
        barren = 0
        seen.add(question)
        yield Problem(
            question,
            program,
            answer,
            language,
            template.id,
            template.family,
            template.operations,
            split,
        )


def _draw(template: Template, collection: Collection, rng: random.Random) -> tuple[str, str] | None:
    """Draw numbers and words; return question and program, or `None` for a draw to skip.

    Skipped are empty ranges and equal numbers: a program shall tell which number it used where.
    """
    filling = _Filling(template, collection, rng)
    for name in template.drawing_order:
        number = template.numbers[name].draw(rng, filling.value)
        if number is None or number in filling.filled.values():
            return None
        filling.filled[name] = number
    question = _tidy(template.text.render(rng, filling.text))
    return question, template.program.render(rng, filling.text)


class _Filling:
    """The numbers and words of one problem; a word is drawn when it is first asked for."""

    def __init__(self, template: Template, collection: Collection, rng: random.Random) -> None:
        self.filled: dict[str, str] = {}
        self._template = template
        self._lists = collection.words
        self._rng = rng

    def text(self, slot: Slot) -> str:
        if slot.name in self._template.numbers:
            return self.filled[slot.name]
        words = self._lists[list_name(slot.name)]
        if slot.name not in self.filled:
            taken = self.filled.values()
            free = [word for word in words.words if word not in taken]
            self.filled[slot.name] = self._rng.choice(free)
        return words.form_of(self.filled[slot.name], slot.form)

    def value(self, reference: str) -> Decimal:
        name, _, form = reference.partition(".")
        return Decimal(self.text(Slot(name, form or None)))


def _tidy(text: str) -> str:
    """Close the gaps that empty options leave and capitalise sentences."""
    closed = re.sub(r" +(?=[,.?!]| |$)", "", text).strip()
    return _SENTENCE_START.sub(lambda match: match[0].upper(), closed)


def _plausible_answer(program: str, template: Template) -> str | None:
    """Run a program; return its answer if every value on the way is one a teacher would set."""
    result = pseudocode.run(program, _PATIENT)
    if result.error is not None:
        raise ProblemError(
            f"template {template.id}: its program does not run ({result.error.message}):\n{program}\n"
            "Correct the program in the template."
        )
    # A value may have two decimals at most, as prices have.
    grain = 1 if template.values == "whole" else 100
    values = [Fraction(step.value) for step in result.trace]
    plain = all(
        0 < value <= template.maximum and (value * grain).denominator == 1 for value in values
    )
    return result.answer if plain else None
