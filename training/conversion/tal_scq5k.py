"""TAL-SCQ5K (train): competition questions with four options, explained in LaTeX, in Chinese.

The answer is the number of the right option; the steps are the equations of the explanation. Most
rows explain with letters or words and are dropped. Source: `math-eval/TAL-SCQ5K` (MIT).
"""

import itertools
import json
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from training.conversion.arithmetic import evaluated, is_number, number, tokenised
from training.conversion.candidates import Candidate, Dropped, Solution
from training.conversion.errors import ConversionError

LICENCE = "MIT"

_FORMULA = re.compile(r"\$\$(.+?)\$\$")
_LEADING_NUMBER = re.compile(r"^\s*\d+[.．、]\s*")


def read(path: Path) -> Iterator[Candidate | Dropped]:
    """Yield a candidate, or why there is none, for every line of `ch_train_3K.jsonl`.

    Raises:
        ConversionError: A line is not of this data set.
    """
    for at, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            record = json.loads(line)
            source = f"tal_scq5k/{record['queId']}"
            gold_text = _right_option(record)
            explanation = " ".join(record["answer_analysis"])
            question = _plain(record["problem"])
        except (ValueError, KeyError, TypeError) as error:
            raise ConversionError(
                f"{path} line {at} is no row of TAL-SCQ5K: {line[:60]!r}; expected a JSON object "
                "with `problem`, `answer_option_list`, `answer_analysis` and `answer_value`. "
                "Give ch_train_3K.jsonl."
            ) from error
        gold = number(_plain(gold_text))
        if gold is None:
            yield Dropped(source, "answer_not_a_number", gold_text)
        elif steps := _steps(explanation):
            yield Candidate(source, "zh", question, steps, gold)
        else:
            yield Dropped(source, "no_steps")


def _right_option(record: dict[str, Any]) -> str:
    options = (option for group in record["answer_option_list"] for option in group)
    contents = {option["aoVal"]: str(option["content"]) for option in options}
    return contents[record["answer_value"]]


def _plain(text: str) -> str:
    """Return a text without its formula marks and its number in the paper."""
    return _LEADING_NUMBER.sub("", text.replace("$$", "")).strip()


def _steps(explanation: str) -> tuple[Solution, ...]:
    """Return the equations whose left side is arithmetic and gives the right side."""
    steps: list[Solution] = []
    for formula in _FORMULA.findall(explanation):
        sides = formula.split("=")
        for left, right in itertools.pairwise(sides):
            step = _step(left, right)
            if step is not None:
                steps.append(step)
    return tuple(steps)


def _step(left: str, right: str) -> Solution | None:
    tokens, value = tokenised(left), tokenised(right)
    if tokens is None or value is None or sum(map(is_number, tokens)) < len((left, right)):
        return None
    result: Fraction | None = evaluated(value)
    return Solution(tokens, result) if result is not None and result == evaluated(tokens) else None
