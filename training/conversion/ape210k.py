"""Ape210K (train or valid): one equation `x=(83*50-118)/(50-2)` a question, in Chinese.

Source: Zhao et al. 2020, arXiv 2009.11506, `Chenny0808/ape210k`.
"""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from training.conversion.arithmetic import number, tokenised
from training.conversion.candidates import Candidate, Dropped, Solution
from training.conversion.errors import ConversionError
from training.conversion.linking import split_at_parentheses, values_of

LICENCE = None

_CLOSE = Fraction(1, 10**4)
"""Answers are printed with a few decimals; this near, the exact value is the answer."""


def read(path: Path) -> Iterator[Candidate | Dropped]:
    """Yield a candidate, or why there is none, for every line of `*.ape.json`.

    Raises:
        ConversionError: A line is not of this data set.
    """
    for at, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            record = json.loads(line)
            question, equation = record["original_text"], record["equation"]
            answer, source = record["ans"], f"ape210k/{record['id']}"
        except (ValueError, KeyError, TypeError) as error:
            raise ConversionError(
                f"{path} line {at} is no row of Ape210K: {line[:60]!r}; expected a JSON object "
                "with `id`, `original_text`, `equation` and `ans`. Give valid.ape.json."
            ) from error
        tokens = tokenised(equation.removeprefix("x="))
        gold = number(answer)
        if tokens is None:
            yield Dropped(source, "not_arithmetic", equation)
        elif gold is None:
            yield Dropped(source, "answer_not_a_number", answer)
        else:
            steps = _steps(tokens)
            exact = steps[-1].value
            is_close = abs(exact - gold) <= abs(gold) * _CLOSE
            yield Candidate(source, "zh", question.strip(), steps, exact if is_close else gold)


def _steps(tokens: tuple[str, ...]) -> tuple[Solution, ...]:
    """Return one equation as steps that refer to one another by position."""
    steps = split_at_parentheses(tokens)
    return tuple(
        Solution(tuple(parts), value) for parts, value in zip(steps, values_of(steps), strict=True)
    )
