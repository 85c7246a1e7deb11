"""What an answer is worth, one row at a time: 1 is right, 0 is wrong, between is nearly.

A task names its metrics, the first being the one that decides; `evaluate:NAME` is one of Hugging
Face's `evaluate`, by name or from a folder.
"""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import pseudocode
import reasoning
from training.errors import EvaluationFailed
from training.rows import Row
from training.tasks import same_number

Metric = Callable[[str, Row], float]
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*(?:/\d+)?")
# An answer is scored by one metric after the other, and several look at the same chain.
_checked = lru_cache(maxsize=1)(reasoning.check)


def _exact(answer: str, row: Row) -> float:
    return float(answer.strip() == row.output.strip())


def _similarity(answer: str, row: Row) -> float:
    return difflib.SequenceMatcher(None, answer.strip(), row.output.strip(), False).ratio()


def _number(answer: str, row: Row) -> float:
    """Whether the last number of an answer is the gold answer, or the last number of the output."""
    found, gold = _NUMBER.findall(answer), row.answer or "".join(_NUMBER.findall(row.output)[-1:])
    return float(bool(found) and bool(gold) and _same(found[-1], gold))


def _same(one: str, other: str) -> bool:
    values = [pseudocode.run(f"return {text.replace(',', '')}").answer for text in (one, other)]
    return values[0] is not None and values[0] == values[1]


def _executed(answer: str, _row: Row) -> float:
    return float(pseudocode.run(answer).answer is not None)


def _right(answer: str, row: Row) -> float:
    given = pseudocode.run(answer).answer
    gold = row.answer or pseudocode.run(row.output).answer
    return float(given is not None and gold is not None and same_number(given, gold))


def _concluded(answer: str, row: Row) -> float:
    """Whether the conclusion of a chain is the gold answer, or that of the output."""
    given, gold = _checked(answer).answer, row.answer or reasoning.check(row.output).answer
    return float(given is not None and gold is not None and reasoning.same_value(given, gold))


def _consistent(answer: str, _row: Row) -> float:
    return float(_checked(answer).consistent)


def _steps_right(answer: str, _row: Row) -> float:
    """Whether a chain calculates, and everything it calculates comes out."""
    calculations = _checked(answer).calculations
    return float(bool(calculations) and all(step.ok for step in calculations))


def _conclusion_last(answer: str, _row: Row) -> float:
    return float(_checked(answer).answer_last)


METRICS: dict[str, Metric] = {
    "concluded": _concluded,
    "conclusion_last": _conclusion_last,
    "consistent": _consistent,
    "exact": _exact,
    "executed": _executed,
    "number": _number,
    "right": _right,
    "similarity": _similarity,
    "steps_right": _steps_right,
}
LIBRARY = "evaluate:"


def score(
    found: Mapping[str, Metric], answers: Sequence[str], rows: Sequence[Row]
) -> dict[str, list[float]]:
    """Score every answer by every metric; each metric has its scores in the order of the rows."""
    scores: dict[str, list[float]] = {name: [] for name in found}
    for answer, row in zip(answers, rows, strict=True):
        for name, metric in found.items():
            scores[name].append(metric(answer, row))
    return scores


def find(name: str) -> Metric:
    """Find a metric by name.

    Raises:
        EvaluationFailed: There is none of that name, or its library is missing.
    """
    if name.startswith(LIBRARY):
        return _from_library(name.removeprefix(LIBRARY))
    if name not in METRICS:
        raise EvaluationFailed(
            f"There is no metric {name!r}. Expected one of {', '.join(METRICS)}, or "
            f"{LIBRARY}NAME for one of Hugging Face's. Name one of these."
        )
    return METRICS[name]


def _from_library(name: str) -> Metric:
    try:
        import evaluate  # noqa: PLC0415 - an extra that not everybody has
    except ImportError as error:
        raise EvaluationFailed(
            f"The metric {LIBRARY}{name} needs the package `evaluate`, which is not installed. "
            "Install it with `uv pip install evaluate`, or choose another metric."
        ) from error
    try:
        loaded = evaluate.load(str(Path(name).resolve()) if Path(name).is_dir() else name)
    except (OSError, ValueError, ImportError) as error:
        raise EvaluationFailed(
            f"Cannot load the metric {LIBRARY}{name}: {error}. Expected a name that `evaluate` knows "
            "or a folder with NAME.py. Check the spelling."
        ) from error

    def metric(answer: str, row: Row) -> float:
        return _first_number(loaded.compute(predictions=[answer], references=[row.output]), name)

    return metric


def _first_number(results: dict[str, object], name: str) -> float:
    numbers = [value for value in results.values() if isinstance(value, (int, float))]
    if not numbers:
        raise EvaluationFailed(
            f"The metric {LIBRARY}{name} gave {results!r}, expected a number. Choose another metric."
        )
    return float(numbers[0])
