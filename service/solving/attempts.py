"""One text of the model, parsed, run and checked against its question: an answer, or why none.

Blocking, within the limits of the interpreter; nothing here knows of engines.
"""

from dataclasses import dataclass

import pseudocode
from pseudocode.errors import Code
from pseudocode.findings import check
from pseudocode.grounding import uses_numbers_of
from pseudocode.question_numbers import QuestionLanguage, gives_numbers
from service.solving.solution import Abstention

# Tighter than a person needs: a server runs up to 16 programs for one question.
LIMITS = pseudocode.Limits(timeout_s=0.25)
LIMIT_CODES = {
    Code.SOURCE_TOO_LONG,
    Code.TOO_DEEP,
    Code.NUMBER_TOO_LONG,
    Code.TOO_MANY_STEPS,
    Code.TOO_SLOW,
}


@dataclass(frozen=True)
class Draft:
    """What the model wrote, and why it stopped."""

    text: str
    finish_reason: str | None


@dataclass(frozen=True)
class Attempt:
    """A draft that was examined.

    Attributes:
        program: Its text.
        answer: What it computes, doubtful or not.
        trace: Its steps as they were run.
        parsed: Whether it is a program.
        grounded: Whether its numbers are the question's; unknown if it is no program.
        limits: Limits that it reached.
        doubt: Why its answer does not count; `None` if it does.
    """

    program: str
    answer: str | None
    trace: tuple[pseudocode.Step, ...]
    parsed: bool
    grounded: bool | None
    limits: tuple[str, ...]
    doubt: Abstention | None


def doubt_of_question(question: str, language: QuestionLanguage | None) -> Abstention | None:
    """Why a question cannot be solved by a calculation, known before anything is asked."""
    if not question.strip():
        return "empty_question"
    return None if gives_numbers(question, language) else "no_numbers"


def examine(draft: Draft, question: str, language: QuestionLanguage | None) -> Attempt:
    """Parse, run and check one draft; whatever it says ends in an attempt, never in an exception."""
    program = draft.text.strip()
    if draft.finish_reason == "length":
        return Attempt(program, None, (), False, None, ("length",), "length")
    try:
        parsed = pseudocode.parse(program, LIMITS)
    except pseudocode.ParseError as error:
        return Attempt(program, None, (), False, None, _limits(error.code), "no_program")
    result = pseudocode.run(parsed, LIMITS)
    # Of the other findings an unused step alone leaves the answer what it is.
    findings = {finding.code for finding in check(parsed, question)}
    grounded = "ungrounded_literal" not in findings and uses_numbers_of(question, program, language)
    doubt: Abstention | None = None
    # A text may be what a program returns; an answer to a question is a number.
    if result.error is not None or result.value is None:
        doubt = "not_executable"
    elif "returns_literal" in findings:
        doubt = "nothing_computed"
    elif not grounded:
        doubt = "not_grounded"
    limits = _limits(result.error.code) if result.error else ()
    return Attempt(program, result.answer, result.trace, True, grounded, limits, doubt)


def _limits(code: str) -> tuple[str, ...]:
    return (str(code),) if code in LIMIT_CODES else ()
