"""Read untrusted JSON: no duplicate keys, no NaN, and no more memory than was agreed.

Knows nothing of what the documents mean.
"""

import json
from collections import Counter
from collections.abc import Iterable

MAX_PARSED_BYTES = 96 << 20
# What CPython needs at least for a container, a string and a number, with the slot that holds it.
CONTAINER_BYTES, STRING_BYTES, NUMBER_BYTES = 88, 72, 40
# Reading a number takes the square of its length.
MAX_DIGITS = 100
DIGITS_ALONE = bytes(ord("0") if chr(byte).isdecimal() else ord(" ") for byte in range(256))


class DuplicateKeyError(ValueError):
    """An object names the same key twice; readers would disagree about which one counts."""


def parse(raw: bytes) -> object:
    """Parse a JSON document.

    Raises:
        DuplicateKeyError: An object has a key twice.
        ValueError: It is not strict JSON, is nested too deeply or would need too much memory or
            time.
    """
    if parsed_bytes(raw) > MAX_PARSED_BYTES:
        raise ValueError(f"it would take more than {MAX_PARSED_BYTES >> 20} MB of memory to read")
    if b"0" * (MAX_DIGITS + 1) in raw.translate(DIGITS_ALONE):
        raise ValueError(f"it has a number of more than {MAX_DIGITS} digits")
    try:
        text = raw.decode("utf-8")
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def parsed_bytes(raw: bytes) -> int:
    """Estimate the memory that parsing takes, in bytes, without parsing."""
    containers = raw.count(b"[") + raw.count(b"{")
    strings = raw.count(b'"') // 2
    numbers = raw.count(b",") + raw.count(b":")
    decoded = len(raw) if raw.isascii() else 4 * len(raw)
    return decoded + containers * CONTAINER_BYTES + strings * STRING_BYTES + numbers * NUMBER_BYTES


def repeated_key(keys: Iterable[str]) -> str | None:
    """The first of some keys that occurs twice, cut to what a message can hold."""
    return next((key[:80] for key, count in Counter(keys).items() if count > 1), None)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise DuplicateKeyError(f"the key {repeated_key(key for key, _ in pairs)!a} occurs twice")
    return result


def _refuse_constant(word: str) -> object:
    raise ValueError(f"{word} is not JSON")
