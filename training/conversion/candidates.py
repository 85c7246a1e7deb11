"""What a reader of a data set hands on: a question with the steps of its published solution."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Language = Literal["en", "zh"]

Reason = Literal[
    "no_steps",
    "not_arithmetic",
    "answer_not_a_number",
    "step_is_wrong",
    "answer_not_reached",
    "program_fails",
    "nothing_to_compute",
    "repeated_question",
    "number_from_nowhere",
]


@dataclass(frozen=True)
class Solution:
    """One calculation of a published solution.

    Attributes:
        parts: Numbers, operators and parentheses, as `tokenised` returns them, and positions of
            earlier calculations where the solution itself refers to one.
        value: What the solution says comes out.
        label: Words the solution uses for the result, empty where it has none.
    """

    parts: tuple[str | int, ...]
    value: Fraction
    label: str = ""


@dataclass(frozen=True)
class Candidate:
    """A question that may become a row, its steps in the order of the solution, and its answer."""

    source: str
    language: Language
    question: str
    steps: tuple[Solution, ...]
    gold: Fraction


@dataclass(frozen=True)
class Dropped:
    """A question that becomes no row, and why."""

    source: str
    reason: Reason
    detail: str = ""
