"""How large a schema, a grammar or a choice may be that the engine is to compile for one request.

What is within these bounds may still be wrong or slow; the engine says so when it compiles it.
"""

import json
import re
from typing import TypeVar

MAX_CONSTRAINT_BYTES = 16 * 1024
MAX_CONSTRAINT_DEPTH = 16
# Each repetition is a symbol of the compiled grammar.
MAX_CONSTRAINT_COUNT = 10_000
COUNTS = frozenset(f"{end}{what}" for end in ("min", "max") for what in ("Items", "Length"))

_REPETITION = re.compile(r"\{(\d+)(?:,(\d*))?\}")

V = TypeVar("V")


def bounded(value: V) -> V:
    """Refuse a constraint that could take the engine long to compile.

    Raises:
        ValueError: It is too large or too deep.
    """
    size_bytes = len(json.dumps(value, ensure_ascii=False).encode())
    if size_bytes > MAX_CONSTRAINT_BYTES:
        raise ValueError(
            f"the constraint has {size_bytes} bytes; at most {MAX_CONSTRAINT_BYTES} are compiled"
        )
    count = _largest_count(value)
    if count > MAX_CONSTRAINT_COUNT:
        raise ValueError(
            f"the constraint counts to {count}; at most {MAX_CONSTRAINT_COUNT} is compiled"
        )
    depth = _depth(value)
    if depth > MAX_CONSTRAINT_DEPTH:
        raise ValueError(
            f"the constraint is nested {depth} deep; at most {MAX_CONSTRAINT_DEPTH} is compiled"
        )
    return value


def bounded_pattern(pattern: str) -> str:
    """Refuse a regular expression that repeats something too often.

    Raises:
        ValueError: It does.
    """
    count = max((int(number) for number in _repetitions(pattern)), default=0)
    if count > MAX_CONSTRAINT_COUNT:
        raise ValueError(f"the regex counts to {count}; at most {MAX_CONSTRAINT_COUNT} is compiled")
    return pattern


def _repetitions(pattern: str) -> list[str]:
    found = _REPETITION.finditer(pattern)
    # Longer numbers are no counts of anything that could be compiled; 12 digits say enough.
    return [number[:12] for match in found for number in match.groups() if number]


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _largest_count(value: object) -> float:
    """The largest number of items, characters or properties that a schema asks for."""
    if isinstance(value, list):
        return max(map(_largest_count, value), default=0)
    if not isinstance(value, dict):
        return 0
    own = (count for key, count in value.items() if key in COUNTS)
    numbers = (count for count in own if isinstance(count, int | float))
    return max(*map(_largest_count, value.values()), *numbers, 0, 0)
