"""The text of a program in the three forms that were compared: slots, step variables, named ones.

- `steps`: `step1 = 48 / 2`, `step2 = 48 + step1`.
- `named`: results are called what the solution calls them: `clips = 48 / 2`.
- `slots`: the question's numbers are copied into `n1`, `n2`, … first; the steps use names alone.
"""

import re
from collections.abc import Sequence, Set
from fractions import Fraction
from typing import Literal

import pseudocode
from training.conversion.arithmetic import is_number, written
from training.conversion.candidates import Language
from training.conversion.linking import Step

Form = Literal["named", "steps", "slots"]

_GENERIC = {"en": "step", "zh": "步骤"}
_WORD = re.compile(r"[a-z]+")
_SKIPPED = frozenset(
    {
        "a",
        "about",
        "after",
        "all",
        "also",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "before",
        "by",
        "can",
        "during",
        "each",
        "every",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "his",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "more",
        "no",
        "not",
        "now",
        "of",
        "on",
        "only",
        "or",
        "out",
        "she",
        "so",
        "than",
        "that",
        "the",
        "their",
        "then",
        "there",
        "they",
        "this",
        "to",
        "up",
        "was",
        "were",
        "which",
        "who",
        "will",
        "with",
        "would",
    }
)
_LONGEST_NAME = 2


def program(steps: Sequence[Step], form: Form, language: Language, given: Set[Fraction]) -> str:
    """Return the program of linked steps; its last step is the answer."""
    names = _names(steps, form, language)
    slots: dict[str, str] = {}
    lines = []
    for name, step in zip(names, steps, strict=True):
        tokens = [names[part] if isinstance(part, int) else part for part in step.parts]
        if form == "slots":
            tokens = [_slot(token, slots, given) for token in tokens]
        lines.append(f"{name} = {written(tokens)}")
    copies = [f"{slot} = {literal}" for literal, slot in slots.items()]
    return "\n".join([*copies, *lines, f"return {names[-1]}"])


def _names(steps: Sequence[Step], form: Form, language: Language) -> list[str]:
    generic = _GENERIC[language]
    if form != "named":
        return [f"{generic}{place}" for place in range(1, len(steps) + 1)]
    names: list[str] = []
    for place, step in enumerate(steps, start=1):
        name = name_from(step.label) or f"{generic}{place}"
        same = sum(other.rstrip("0123456789") == name for other in names)
        names.append(f"{name}{same + 1}" if same else name)
    return names


def name_from(label: str) -> str | None:
    """Return a variable name made of the first telling words of a label, or None."""
    words = dict.fromkeys(word for word in _WORD.findall(label.lower()) if word not in _SKIPPED)
    name = "_".join(list(words)[:_LONGEST_NAME])
    return name if name and _is_a_name(name) else None


def _is_a_name(text: str) -> bool:
    """Whether the dialect takes a word as a name; its own words are none."""
    return pseudocode.run(f"{text} = 1\nreturn {text}").error is None


def _slot(token: str, slots: dict[str, str], given: Set[Fraction]) -> str:
    if not is_number(token) or Fraction(token) not in given:
        return token
    return slots.setdefault(token, f"n{len(slots) + 1}")
