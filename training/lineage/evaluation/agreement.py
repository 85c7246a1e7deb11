"""Do raters agree? Cohen's weighted kappa for pairs and Krippendorff's alpha for all of them.

Cohen (1968), doi:10.1037/h0026256, with quadratic weights; Krippendorff (2011), "Computing
Krippendorff's Alpha-Reliability", with the interval metric, which allows for missing ratings.
"""

import csv
import io
import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from training.lineage.errors import LineageError

QUESTIONS = ("innovation", "feasibility")
LOWEST, HIGHEST = 1, 5
COLUMNS = ("rater", "item", *QUESTIONS)


class Agreement(BaseModel):
    """Agreement on one question; a figure is `None` where the ratings do not define it.

    Attributes:
        alpha: Krippendorff's alpha, interval metric: 1 is perfect, 0 is chance.
        kappas: Cohen's quadratically weighted kappa by pair of raters.
        means: Mean rating by system, where the key of items is known.
    """

    question: str
    raters: int
    items: int
    alpha: float | None
    kappas: dict[str, float | None]
    means: dict[str, float]


class Rating(NamedTuple):
    """One line of an exported sheet."""

    rater: str
    item: str
    values: dict[str, int]


def read_ratings(paths: Sequence[Path]) -> list[Rating]:
    """Read the CSV files that raters exported.

    Raises:
        LineageError: A file cannot be read, or a line of it is no rating.
    """
    ratings: list[Rating] = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise LineageError(
                f"cannot read ratings from {path}: {error}. Check the path"
            ) from error
        reader = csv.DictReader(io.StringIO(text))
        if missing := set(COLUMNS) - set(reader.fieldnames or ()):
            raise LineageError(
                f"{path} has no column {', '.join(sorted(missing))}; expected {', '.join(COLUMNS)}, "
                "as the sheet exports them"
            )
        ratings += [_rating(path, number, row) for number, row in enumerate(reader, 2)]
    return ratings


def agreement(
    ratings: Sequence[Rating], systems: Mapping[str, str] | None = None
) -> list[Agreement]:
    """Compute agreement on every question.

    Args:
        ratings: Of all raters. An item shown in two orders may be rated twice; the mean counts.
        systems: Item to the system that wrote it.
    """
    return [_on(question, ratings, systems or {}) for question in QUESTIONS]


def weighted_kappa(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Cohen's kappa with quadratic weights over pairs of ratings of the same items."""
    if not pairs:
        return None
    observed = sum((a - b) ** 2 for a, b in pairs) / len(pairs)
    left, right = zip(*pairs, strict=True)
    expected = sum((a - b) ** 2 for a in left for b in right) / len(pairs) ** 2
    return None if expected == 0 else 1 - observed / expected


def krippendorff_alpha(units: Sequence[Sequence[float]]) -> float | None:
    """Krippendorff's alpha with the interval metric.

    Args:
        units: For each item, the ratings it got; items with fewer than two do not count.
    """
    paired = [unit for unit in units if len(unit) > 1]
    values = [value for unit in paired for value in unit]
    if len(values) < 2:
        return None
    observed = sum(
        sum((a - b) ** 2 for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1)
        for unit in paired
    ) / len(values)
    expected = sum((a - b) ** 2 for a, b in itertools.permutations(values, 2)) / (
        len(values) * (len(values) - 1)
    )
    return None if expected == 0 else 1 - observed / expected


def _rating(path: Path, number: int, row: Mapping[str, str | None]) -> Rating:
    values = {}
    for question in QUESTIONS:
        text = (row[question] or "").strip()
        if not text:
            continue
        if not text.isdecimal() or not LOWEST <= int(text) <= HIGHEST:
            raise LineageError(
                f"{path}: line {number}: {question} is {text!r}, expected a whole number from "
                f"{LOWEST} to {HIGHEST}. Correct it"
            )
        values[question] = int(text)
    return Rating((row["rater"] or "").strip() or path.stem, (row["item"] or "").strip(), values)


def _on(question: str, ratings: Sequence[Rating], systems: Mapping[str, str]) -> Agreement:
    given: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for rating in ratings:
        if question in rating.values:
            given[rating.rater][rating.item].append(rating.values[question])
    means = {
        rater: {item: sum(values) / len(values) for item, values in items.items()}
        for rater, items in sorted(given.items())
    }
    items = sorted({item for rated in means.values() for item in rated})
    by_system: dict[str, list[float]] = defaultdict(list)
    for rated in means.values():
        for item, value in rated.items():
            if item in systems:
                by_system[systems[item]].append(value)
    return Agreement(
        question=question,
        raters=len(means),
        items=len(items),
        alpha=krippendorff_alpha(
            [[rated[item] for rated in means.values() if item in rated] for item in items]
        ),
        kappas={
            f"{one} and {other}": weighted_kappa(
                [
                    (means[one][item], means[other][item])
                    for item in items
                    if item in means[one] and item in means[other]
                ]
            )
            for one, other in itertools.combinations(means, 2)
        },
        means={name: sum(values) / len(values) for name, values in sorted(by_system.items())},
    )
