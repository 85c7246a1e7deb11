"""A grammar for one question: the dialect, with no other literals than the question's numbers.

A model that decodes under it cannot make a number up. It knows nothing of models or engines.
"""

import re
from collections.abc import Set
from fractions import Fraction
from functools import lru_cache

from pseudocode.grammar import grammar_text
from pseudocode.numbers import format_number
from pseudocode.question_numbers import QuestionLanguage, grounded_literals, literals_in

# What a decoder compiles within milliseconds.
MAX_LITERALS = 256
_NUMBER_RULE = re.compile(r"^NUMBER: .*$", re.MULTILINE)
# The dialect may know literals such as `20%` too.
_PERCENT_RULE = re.compile(r"^PERCENT: .*$", re.MULTILINE)
_WRITTEN = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")


@lru_cache(maxsize=256)
def grounded_grammar(question: str, language: QuestionLanguage | None = None) -> str:
    """Return the dialect's grammar with the literals of `grounded_literals` alone, and no comments.

    Raises:
        ValueError: The question gives more than `MAX_LITERALS` numbers.
    """
    literals = literals_in(question, language)
    if len(literals) > MAX_LITERALS:
        raise ValueError(
            f"The question gives {len(literals)} numbers; a grounded grammar holds {MAX_LITERALS} "
            "at most. Shorten the question, or use the grammar `dialect`."
        )
    numbers = _pattern(grounded_literals(question, language))
    percents = {
        literal for literal in literals if format_number(Fraction(literal) / 100) in literals
    }
    text, count = _NUMBER_RULE.subn(lambda _: f"NUMBER: /{numbers}/", grammar_text(comments=False))
    if count != 1:
        raise AssertionError(f"the grammar has {count} rules `NUMBER: ...`, not one")
    return _PERCENT_RULE.sub(lambda _: f"PERCENT: /({_pattern(percents | {'100'})})%/", text)


def _pattern(literals: Set[str]) -> str:
    return "|".join(re.escape(literal) for literal in sorted(literals, key=lambda x: (len(x), x)))


def uses_numbers_of(question: str, program: str, language: QuestionLanguage | None = None) -> bool:
    """Whether a program computes with any number that its question gives.

    One that does not has guessed, however well its literals pass as constants.
    """
    given = literals_in(question, language)
    return any(literal in given for literal in _WRITTEN.findall(program))
