"""A candidate → a row whose program was executed and gave the published answer, or why not."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import pseudocode
from pseudocode.numbers import format_number
from pseudocode.question_numbers import given_numbers
from training.conversion.arithmetic import evaluated, is_number
from training.conversion.candidates import Candidate, Dropped, Language, Solution
from training.conversion.forms import Form, program
from training.conversion.linking import linked, reaching

Split = Literal["train", "development"]

SHARE_FOR_DEVELOPMENT = 15
"""One question in this many is kept for development, whatever the data set."""

_LETTERS_ONLY = re.compile(r"[\W\d_]+")


@dataclass(frozen=True)
class Row:
    """One training row, with what it was made from."""

    prompt: str
    output: str
    answer: str
    language: Language
    source: str
    split: Split


def convert(candidate: Candidate, form: Form) -> Row | Dropped:
    """Return the row of a candidate, or the reason why its program cannot be trusted."""
    given = given_numbers(candidate.question)
    for solution in candidate.steps:
        if not _holds(solution, candidate.steps):
            text = " ".join(str(part) for part in solution.parts)
            return Dropped(candidate.source, "step_is_wrong", text)
    steps = reaching(linked(candidate.steps, given), candidate.gold)
    if steps is None:
        return Dropped(candidate.source, "answer_not_reached", format_number(candidate.gold))
    if len(steps) == 1 and sum(not is_number(str(part)) for part in steps[0].parts) == 0:
        return Dropped(candidate.source, "nothing_to_compute")
    text = program(steps, form, candidate.language, given)
    result = pseudocode.run(text, pseudocode.Limits(timeout_s=60.0))
    if result.value != candidate.gold:
        return Dropped(candidate.source, "program_fails", text)
    return Row(
        prompt=candidate.question,
        output=text,
        answer=format_number(candidate.gold),
        language=candidate.language,
        source=candidate.source,
        split=split_of(candidate.question),
    )


def _holds(solution: Solution, steps: Sequence[Solution]) -> bool:
    """Whether a calculation gives what the solution says, by the values it says of the others."""
    tokens: list[str] = []
    for part in solution.parts:
        tokens += [part] if isinstance(part, str) else _exactly(steps[part].value)
    return evaluated(tokens) == solution.value


def _exactly(value: Fraction) -> list[str]:
    return ["(", str(value.numerator), "/", str(value.denominator), ")"]


def split_of(question: str) -> Split:
    """Tell whether a question is trained on or kept for development.

    It depends on the words alone, without digits, so a question and the same one with other
    numbers are on one side.
    """
    letters = _LETTERS_ONLY.sub("", question.lower())
    digest = int.from_bytes(hashlib.sha256(letters.encode()).digest()[:8])
    return "development" if digest % SHARE_FOR_DEVELOPMENT == 0 else "train"
