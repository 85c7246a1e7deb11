"""`promote --require right>=0.8`: what a version must have been measured at before it may serve.

Reads the latest evaluation that knows the metric; measures nothing itself.
"""

import re
from collections.abc import Sequence

from pydantic import JsonValue

from adapters.errors import AdapterError, InvalidReference
from adapters.manifest import Evaluation

_PATTERN = re.compile(r"\s*([\w.:/-]+?)\s*(>=|<=)\s*(-?\d+(?:\.\d+)?)\s*")


def require(text: str, version: str, evaluations: Sequence[Evaluation]) -> None:
    """Check a requirement against what was measured on a version.

    Args:
        text: `metric>=number` or `metric<=number`; a metric of `training.evaluate`, or a path into
            its results such as `scores.overall.right.share`.
        version: For the message.
        evaluations: Of the version, oldest first.

    Raises:
        InvalidReference: The text is not a requirement.
        AdapterError: The metric was never measured, or is not what is required.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise InvalidReference(
            f"Cannot read the requirement {text!r}; expected metric>=number or metric<=number, "
            "right>=0.8 for example. Write it so, in quotes."
        )
    metric, relation, limit = match[1], match[2], float(match[3])
    values = [value for each in evaluations if (value := _find(each.results, metric)) is not None]
    if not values:
        raise AdapterError(
            f"{version} cannot be promoted: {metric} was never measured on it, expected "
            f"{metric} {relation} {limit:g}. Run `python -m training.evaluate --model {version}`."
        )
    met = values[-1] >= limit if relation == ">=" else values[-1] <= limit
    if not met:
        raise AdapterError(
            f"{version} cannot be promoted: {metric} is {values[-1]:g}, expected {relation} "
            f"{limit:g}. Train it further, or require less."
        )


def _find(results: dict[str, JsonValue], metric: str) -> float | None:
    metrics = results.get("metrics")
    if isinstance(metrics, dict) and metric in metrics:
        found: JsonValue = metrics[metric]
    else:
        found = dict(results)
        for key in metric.split("."):
            found = found.get(key) if isinstance(found, dict) else None
    is_number = isinstance(found, (int, float)) and not isinstance(found, bool)
    return float(found) if is_number else None  # type: ignore[arg-type]  # checked before
