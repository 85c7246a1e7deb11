"""Where a text stops being a program, said in the dialect's terms instead of the parser's."""

import re
from collections.abc import Sequence, Set
from typing import NamedTuple

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from pseudocode.errors import Code

FUNCTIONS = ("abs", "ceil", "floor", "max", "min", "round")
RESERVED = frozenset({"return", *FUNCTIONS})


class Diagnosis(NamedTuple):
    """What is wrong and in which row of the text, from 0."""

    code: Code
    message: str
    row: int


def diagnose(error: UnexpectedInput, rows: Sequence[str]) -> Diagnosis:
    """Explain lark's refusal of `rows`."""
    row = min(max(error.line, 1), len(rows)) - 1
    text = rows[row]
    place = text[max(error.column, 1) - 1 :]
    expected = _expected(error)
    returns = re.match(r"return\b", text) is not None
    assigned = re.match(r"(\w+) ?=", text)
    called = re.search(r"(\w+) ?$", text[: len(text) - len(place)])
    if assigned and assigned[1] in RESERVED:
        code, message = Code.RESERVED_NAME, _reserved(assigned[1])
    elif _stops_at(error, "$END") and not returns:
        code, message = Code.NO_RETURN, _no_return(text)
    elif _stops_at(error, "_NEWLINE") and returns and not expected & {"NUMBER", "_CLOSE"}:
        code, message = Code.TEXT_AFTER_RETURN, _goes_on(rows[row + 1])
    elif place.startswith("(") and called and called[1] not in RESERVED:
        code, message = Code.UNKNOWN_FUNCTION, _no_function(called[1])
    else:
        found = "its end" if _stops_at(error, "$END", "_NEWLINE") else f"`{_short(place)}`"
        code, message = Code.SYNTAX, _misplaced(text, found, expected)
    return Diagnosis(code, message, row)


def _stops_at(error: UnexpectedInput, *types: str) -> bool:
    return isinstance(error, UnexpectedToken) and error.token.type in types


def _expected(error: UnexpectedInput) -> Set[str]:
    if isinstance(error, UnexpectedToken):
        return error.expected
    return error.allowed if isinstance(error, UnexpectedCharacters) else frozenset()


def _reserved(name: str) -> str:
    return (
        f"`{name}` is given a value, but it is a word of the dialect; expected any name except "
        f"{', '.join(sorted(RESERVED))}. Choose another name."
    )


def _no_return(last: str) -> str:
    return (
        f"The program ends with `{_short(last)}`; expected `return expression` as its last line. "
        "Add it, or see whether the text was cut short."
    )


def _goes_on(following: str) -> str:
    return (
        f"After the return line comes `{_short(following)}`; expected the end of the program. "
        "Move it before the return line or take it away."
    )


def _no_function(name: str) -> str:
    return (
        f"`{name}` is called, but there is no such function; expected one of "
        f"{', '.join(FUNCTIONS)}. Write it with those and the operators + - * / // % **."
    )


def _misplaced(text: str, found: str, expected: Set[str]) -> str:
    if "RETURN" in expected:
        wanted = "`name = expression` or `return expression`"
    elif "NUMBER" in expected:
        wanted = "a number, a name, a function or `(`"
    elif "_IS" in expected:
        wanted = "`=` after the name"
    elif expected == {"_OPEN"}:
        wanted = "`(` right after the function"
    else:
        wanted = "an operator, `)` or the end of the line"
    return (
        f"The line `{_short(text)}` has {found} where it does not belong; expected {wanted}. "
        "Correct the line."
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}..."
