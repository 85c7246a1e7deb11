"""Development questions with their answers: own unseen templates, and parts of public *train* data.

Nothing of a public test set is read. What of the public data is for development is decided by
`training.conversion.rows.split_of`, as in training.
"""

import os
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import pseudocode
from pseudocode.numbers import format_number
from training.conversion import ape210k, gsm8k
from training.conversion.candidates import Candidate, Dropped
from training.conversion.rows import split_of
from training.problems import Language, generate

SEED = 20_26
DATA_VARIABLE = "LORADOCK_SHARED_DATA"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
_NUMBER = re.compile(r"(?<![\w.,/])(\d+)(?![\w.,/%])", re.ASCII)


@dataclass(frozen=True)
class Asked:
    """One question: its text, its exact answer, and a program and a family where it has one."""

    text: str
    answer: str
    program: str | None = None
    family: str | None = None


SETS = ("own English", "own Chinese", "GSM8K train part", "Ape210K valid part")


def question_sets(size: int) -> dict[str, list[Asked]]:
    """The sets by name, `size` questions each; public ones only where their files are there."""
    own_english, own_chinese, gsm8k_part, ape210k_part = SETS
    sets = {own_english: own("en", size), own_chinese: own("zh", size)}
    data = Path(os.environ.get(DATA_VARIABLE) or SHARED)
    for name, path, read in (
        (gsm8k_part, data / "gsm8k" / "train.jsonl", gsm8k.read),
        (ape210k_part, data / "ape210k" / "valid.ape.json", ape210k.read),
    ):
        if path.is_file():
            sets[name] = _public(path, read, size)
    return sets


def own(language: Language, size: int) -> list[Asked]:
    """Questions of the templates that are never trained on."""
    problems = generate(seed=SEED, count=size, language=language, split="unseen")
    return [
        Asked(problem.question, problem.answer, problem.program, problem.family)
        for problem in problems
    ]


def _public(
    path: Path, read: Callable[[Path], Iterator[Candidate | Dropped]], size: int
) -> list[Asked]:
    found = [
        Asked(candidate.question, format_number(candidate.gold))
        for candidate in read(path)
        if isinstance(candidate, Candidate) and split_of(candidate.question) == "development"
    ]
    random.Random(SEED).shuffle(found)  # noqa: S311 - a choice of questions, not a secret
    return found[:size]


def with_another_number(asked: Asked) -> Asked | None:
    """The same question with one number changed and the answer that follows, where that is clear.

    The number must stand once in the text and once in the program, and the changed program must
    give another, positive answer, whole where the first one is.
    """
    if asked.program is None:
        return None
    for found in _NUMBER.finditer(asked.text):
        stands = rf"(?<![\w.]){found[1]}(?![\w.])"
        # In a program a Chinese character before digits makes a name of them, in a text it does not.
        written, literal = re.compile(stands, re.ASCII), re.compile(stands)
        if len(written.findall(asked.text)) != 1 or len(literal.findall(asked.program)) != 1:
            continue
        for other in _near(int(found[1])):
            changed = literal.sub(str(other), asked.program)
            answer = pseudocode.run(changed).answer
            if answer is not None and _alike(answer, asked.answer):
                text = written.sub(str(other), asked.text)
                return replace(asked, text=text, answer=answer, program=changed)
    return None


def _near(number: int) -> Iterator[int]:
    """A few other numbers of about the same size, larger ones first."""
    candidates = (number + step for step in (1, 2, 3, 5, 10, -1, -2, number))
    return islice((other for other in candidates if other > 1 and other != number), 8)


def _alike(answer: str, before: str) -> bool:
    one, other = Fraction(answer), Fraction(before)
    return one > 0 and one != other and (one.denominator == 1) == (other.denominator == 1)
