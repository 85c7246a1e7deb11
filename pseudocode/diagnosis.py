"""Where a text stops being a program, said in the dialect's terms instead of the parser's."""

import re
from collections.abc import Sequence, Set
from typing import NamedTuple

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from pseudocode.errors import Code, shortened

FUNCTIONS = ("abs", "ceil", "floor", "length", "max", "min", "round", "sum")
RESERVED = ("ask", "return", "询问", "返回")

_RETURN = re.compile(r"(return|返回)\b")
_OPENING = re.compile(r"(if|如果|repeat|重复|while|当|for each|对每个) (?!=)")
_CLOSING = re.compile(r"(end|结束)$")
_FORM_NAMES = {
    "if": "`if condition then`",
    "else if": "`else if condition then`",
    "elif": "`else if condition then`",
    "repeat": "`repeat number times`",
    "for each": "`for each name in list`",
    "append": "`append value to list`",
    "如果": "`如果 条件 那么`",
    "否则如果": "`否则如果 条件 那么`",
    "重复": "`重复 次数 次`",
    "对每个": "`对每个 名字 在 列表`",
    "追加": "`追加 值 到 列表`",
}
_BLOCK_FORM = re.compile(f"({'|'.join(_FORM_NAMES)}) ")


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
    found = "its end" if _stops_at(error, "$END", "_NEWLINE") else f"`{shortened(place)}`"
    return (
        _name_fault(text, place, row)
        or _end_fault(error, rows, row)
        or Diagnosis(Code.SYNTAX, _misplaced(text, found, _expected(error)), row)
    )


def _name_fault(text: str, place: str, row: int) -> Diagnosis | None:
    """A word that is used as a name, or a function that does not exist, if that is the fault."""
    assigned = re.match(r"(\w+) ?=(?!=)", text)
    if assigned and assigned[1] in RESERVED:
        return Diagnosis(Code.RESERVED_NAME, _reserved(assigned[1]), row)
    called = re.match(r"(\w+) ?\(", place)
    if called and called[1] not in FUNCTIONS:
        return Diagnosis(Code.UNKNOWN_FUNCTION, _no_function(called[1]), row)
    return None


def _end_fault(error: UnexpectedInput, rows: Sequence[str], row: int) -> Diagnosis | None:
    """A program that ends too early or too late, if that is the fault."""
    returns = _RETURN.match(rows[row]) is not None
    if _stops_at(error, "$END"):
        opened = _open_block(rows)
        if opened is not None:
            return Diagnosis(Code.NO_END, _no_end(rows[opened]), opened)
        return None if returns else Diagnosis(Code.NO_RETURN, _no_return(rows[row]), row)
    ended = _stops_at(error, "_NEWLINE") and not _expected(error) & {"NUMBER", "_CLOSE"}
    if returns and ended and row + 1 < len(rows):
        return Diagnosis(Code.TEXT_AFTER_RETURN, _goes_on(rows[row + 1]), row)
    return None


def _open_block(rows: Sequence[str]) -> int | None:
    """Where the innermost block begins that has no end."""
    opened = []
    for number, row in enumerate(rows):
        if _OPENING.match(row):
            opened.append(number)
        elif _CLOSING.match(row) and opened:
            opened.pop()
    return opened[-1] if opened else None


def _stops_at(error: UnexpectedInput, *types: str) -> bool:
    return isinstance(error, UnexpectedToken) and error.token.type in types


def _expected(error: UnexpectedInput) -> Set[str]:
    if isinstance(error, UnexpectedToken):
        return error.expected
    return error.allowed if isinstance(error, UnexpectedCharacters) else frozenset()


def _reserved(name: str) -> str:
    return (
        f"`{name}` is given a value, but it is a word of the dialect; expected any name except "
        f"{', '.join(RESERVED)}. Choose another name."
    )


def _no_return(last: str) -> str:
    return (
        f"The program ends with `{shortened(last)}`; expected `return expression` as its last line. "
        "Add it, or see whether the text was cut short."
    )


def _no_end(opening: str) -> str:
    return (
        f"The block `{shortened(opening)}` is not closed; expected a line `end` for it, and "
        "`return expression` as the last line. Add them, or see whether the text was cut short."
    )


def _goes_on(following: str) -> str:
    return (
        f"After the return line comes `{shortened(following)}`; expected the end of the program. "
        "Move it before the return line or take it away."
    )


def _no_function(name: str) -> str:
    return (
        f"`{shortened(name)}` is called, but there is no such function; expected one of "
        f"{', '.join(FUNCTIONS)}. Write it with those and the operators + - * / // % **."
    )


def _misplaced(text: str, found: str, expected: Set[str]) -> str:
    form = _BLOCK_FORM.match(text)
    if "_RETURN" in expected:
        wanted = "`name = expression` or `return expression`"
    elif "NUMBER" in expected:
        wanted = "a number, a name, a function or `(`"
    elif form:
        wanted = f"the form {_FORM_NAMES[form[1]]}"
    else:
        wanted = "an operator, `)` or the end of the line"
    return (
        f"The line `{shortened(text)}` has {found} where it does not belong; expected {wanted}. "
        "Correct the line."
    )
