"""GSM8K's *train* file: each `<<48/2=24>>` of a solution is a step, `#### 72` the answer.

Source: Cobbe et al. 2021, arXiv 2110.14168, `grade-school-math` (MIT).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from training.conversion.arithmetic import number, tokenised
from training.conversion.candidates import Candidate, Dropped, Solution
from training.conversion.errors import ConversionError

LICENCE = "MIT"

_STEP = re.compile(r"([^\n.;!?]*?)(\$?)<<([^<>]*)=([^<>=]*)>>(?:[\d.,/]*\d)?([^\n.,;<]*)")
_WORD = re.compile(r"[A-Za-z]{2,}")


def read(path: Path) -> Iterator[Candidate | Dropped]:
    """Yield a candidate, or why there is none, for every line of `train.jsonl`.

    Raises:
        ConversionError: A line is not of this data set.
    """
    for at, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        source = f"gsm8k/train/{at}"
        try:
            record = json.loads(line)
            question, answer = record["question"], record["answer"]
            solution, gold_text = answer.split("####")
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise ConversionError(
                f"{path} line {at} is no row of GSM8K: {line[:60]!r}; expected a JSON object with "
                "`question` and `answer`, the latter ending in `#### N`. Give GSM8K's train.jsonl."
            ) from error
        gold = number(gold_text)
        if gold is None:
            yield Dropped(source, "answer_not_a_number", gold_text)
            continue
        steps = _steps(solution)
        if isinstance(steps, str):
            yield Dropped(source, "not_arithmetic", steps)
        elif not steps:
            yield Dropped(source, "no_steps")
        else:
            yield Candidate(source, "en", question.strip(), steps, gold)


def _steps(solution: str) -> tuple[Solution, ...] | str:
    """Return the annotated calculations, or the first text that is none.

    A result is labelled by the words behind it (`clips in May`), then by those its sentence begins
    with, which tell two sums of dollars apart where nothing follows them.
    """
    steps = []
    for opening, money, expression, result, words in _STEP.findall(solution):
        tokens, value = tokenised(expression.split("=")[0]), number(result)
        if tokens is None or value is None:
            return f"{expression}={result}"
        label = " ".join(["dollars"] * bool(money) + [words, *_WORD.findall(opening)])
        steps.append(Solution(tokens, value, label))
    return tuple(steps)
