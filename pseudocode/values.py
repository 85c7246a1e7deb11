"""Values that are not numbers: lists, tables and texts, and what can be done with them.

A value never changes; `append` makes a new list. Lists and tables hold numbers and texts alone, so
that nothing nests and nothing grows faster than a program can write.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from pseudocode.errors import Code, ExecutionError, shortened
from pseudocode.numbers import format_number, read_number

Item = Fraction | str
Table = Mapping[Item, Item]
Value = Fraction | str | tuple[Item, ...] | Table

_WRITTEN_NUMBER = re.compile(r"([+-]?)((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?)(%?)")


def format_value(value: Value) -> str:
    """Write a value as a program would: numbers exactly, texts in quotation marks."""
    if isinstance(value, Fraction):
        return format_number(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(map(format_value, value))}]"
    entries = (f"{format_value(key)}: {format_value(item)}" for key, item in value.items())
    return f"{{{', '.join(entries)}}}"


def read_answer(text: str, max_digits: int) -> Item:
    """Read what a leaf step was answered: a number if the text is nothing else, or the text."""
    # Half a character, which a model can write, could not be sent to anybody.
    text = text.encode(errors="replace").decode().strip()
    match = _WRITTEN_NUMBER.fullmatch(text) if len(text) <= 2 * max_digits else None
    if match is None:
        return text
    sign, digits, percent = match.groups()
    value = read_number(digits.replace(",", "")) / (100 if percent else 1)
    return -value if sign == "-" else value


def kind_of(value: Value) -> str:
    """Name the kind of a value in messages."""
    if isinstance(value, Fraction):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, tuple) else "a table"


def wrong_type(what: str, found: str, expected: str) -> ExecutionError:
    """Explain that an operation is not defined for what it is given."""
    return ExecutionError(
        Code.WRONG_TYPE,
        f"The line {what} {found}; expected {expected}. Check the steps it is computed from.",
    )


def numbers_of(values: Sequence[Value], what: str) -> list[Fraction]:
    """Return the numbers that `sum`, `min` and `max` are of: the values, or one list's items.

    Raises:
        ExecutionError: Something is no number, or the list is empty and `what` needs an item.
    """
    items = values
    if len(values) == 1:
        (only,) = values
        if not isinstance(only, tuple):
            raise wrong_type(f"takes the {what} of", kind_of(only), "several numbers, or a list")
        items = only
    numbers = [item for item in items if isinstance(item, Fraction)]
    if len(numbers) < len(items):
        other = next(item for item in items if not isinstance(item, Fraction))
        raise wrong_type(f"takes the {what} of", kind_of(other), "numbers, or a list of numbers")
    if not numbers and what != "total":
        raise wrong_type(f"takes the {what} of", "an empty list", "at least one number")
    return numbers


def make_list(*values: Value) -> Value:
    """Put values in a list."""
    return tuple(map(_item, values))


def make_table(*values: Value) -> Value:
    """Put keys and values, in turns, in a table; a later key replaces an equal one."""
    items = list(map(_item, values))
    return dict(zip(items[::2], items[1::2], strict=True))


def append(values: Value, value: Value) -> tuple[Item, ...]:
    """Return a list with one more item."""
    if not isinstance(values, tuple):
        raise wrong_type("appends to", kind_of(values), "a list")
    return (*values, _item(value))


def _item(value: Value) -> Item:
    if isinstance(value, (Fraction, str)):
        return value
    raise wrong_type("puts into a list or table", kind_of(value), "numbers and texts only")


def length(value: Value) -> Fraction:
    """Count items, entries or characters."""
    if isinstance(value, Fraction):
        raise wrong_type("takes the length of", "a number", "a list, a table or a text")
    return Fraction(len(value))


def index(values: Value, key: Value) -> Item:
    """Look up an item: by its place from 0, from the end where negative, or by a table's key."""
    if isinstance(values, Fraction):
        raise wrong_type("looks an item up in", "a number", "a list, a table or a text")
    if isinstance(values, (tuple, str)):
        return values[whole(key, Code.BAD_INDEX, len(values))]
    item = values.get(_item(key))
    if item is None:
        known = ", ".join(map(_short, list(values)[:20])) or "none"
        raise ExecutionError(
            Code.UNKNOWN_KEY,
            f"The line looks up {_short(key)}, which is no key of the table; expected one of its "
            f"keys ({known}). Correct the key.",
        )
    return item


def whole(value: Value, code: Code, size: int | None = None) -> int:
    """Return a whole number that counts something, or the place of one of `size` items.

    Raises:
        ExecutionError: With `code`, if the value is nothing of the kind.
    """
    expected = "a whole number from 0" if size is None else f"a place in {size} items, from 0"
    least, most = (0, None) if size is None else (-size, size - 1)
    if isinstance(value, Fraction) and value.denominator == 1:
        number = value.numerator
        if number >= least and (most is None or number <= most):
            return number
    raise ExecutionError(
        code, f"The line counts with {_short(value)}; expected {expected}. Check its steps."
    )


def join(left: Value, right: Value, max_chars: int) -> str:
    """Put two texts together; a number is written out.

    Raises:
        ExecutionError: One is a list or a table, or the text is longer than `max_chars`.
    """
    parts = [
        part if isinstance(part, str) else format_number(part) for part in map(_item, (left, right))
    ]
    return bounded_text("".join(parts), max_chars)


def bounded_text(text: str, max_chars: int) -> str:
    """Return a text that is not too long.

    Raises:
        ExecutionError: It is longer than `max_chars`.
    """
    if len(text) > max_chars:
        raise ExecutionError(
            Code.TEXT_TOO_LONG,
            f"A text has {len(text)} characters; at most {max_chars} are allowed. Shorten it.",
        )
    return text


def _short(value: Value) -> str:
    return shortened(format_value(value), 40)


COLLECTIONS: Mapping[str, Callable[..., Value]] = {
    "items": make_list,
    "table": make_table,
    "length": length,
    "index": index,
    "equal": lambda left, right: Fraction(left == right),
    "unequal": lambda left, right: Fraction(left != right),
}
