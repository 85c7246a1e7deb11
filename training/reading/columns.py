"""Which column is which: names asked for, names there are, and the nearest when they differ."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from training.codes import Problem
from training.errors import RowsRefused

Column = Literal["prompt", "output", "answer", "group"]
# Tried in this order where no name is given.
USUAL_NAMES: dict[Column, tuple[str, ...]] = {
    "prompt": ("prompt",),
    "output": ("output",),
    "answer": ("answer", "gold"),
    "group": ("group",),
}


# What others call them; only ever suggested, since `answer` may also be the gold answer.
_ELSEWHERE: dict[Column, tuple[str, ...]] = {
    "prompt": ("question", "instruction", "input", "query", "problem", "source"),
    "output": ("completion", "response", "answer", "solution", "target", "continuation", "text"),
    "answer": ("gold", "label", "result"),
    "group": ("template", "story", "chain", "source"),
}


class Found(NamedTuple):
    """Names of a file's columns, and what is to be said about them."""

    names: dict[Column, str]
    problems: list[Problem]


def parse_columns(text: str) -> dict[Column, str]:
    """Read `prompt=question,output=answer`.

    Raises:
        ValueError: It is written in another way, or names something that is no column.
    """
    known: dict[str, Column] = {column: column for column in get_args(Column)}
    columns: dict[Column, str] = {}
    for part in text.split(","):
        column, _, name = (piece.strip() for piece in part.partition("="))
        if column not in known or not name:
            raise ValueError(
                f"{text!r} is not prompt=NAME,output=NAME; {column!r} in it is unclear, known are "
                f"{', '.join(known)}.{_nearest_hint(column, list(known))}"
            )
        columns[known[column]] = name
    return columns


def find_columns(
    there: Sequence[str],
    asked: Mapping[Column, str],
    required: Sequence[Column],
    line: int = 1,
    missing_code: str = "missing_column",
) -> Found:
    """Match the columns of a file with those that are wanted.

    Args:
        there: Names in the file.
        asked: Names given by somebody, where they differ from the usual ones.
        required: Columns that cannot be done without.
        line: Where the names stand.
        missing_code: The code of a name that is not there.

    Raises:
        RowsRefused: One column of the file is asked for twice.
    """
    if len(set(asked.values())) < len(asked):
        raise RowsRefused(
            f"--columns names one column of the file twice ({asked}), expected different ones. "
            "Name another."
        )
    names: dict[Column, str] = {}
    problems: list[Problem] = []
    for column in get_args(Column):
        wanted = [asked[column]] if column in asked else _free(USUAL_NAMES[column], asked)
        found = _match(wanted, there)
        if found is not None:
            names[column] = found
            if found not in wanted:
                said = f"column {found!r} is read as {column}"
                problems.append(Problem(line, "column_name", said))
        elif column in required or column in asked:
            message = missing(wanted[0] if wanted else column, column, there)
            problems.append(Problem(line, missing_code, message))
    return Found(names, problems)


def _free(usual: Sequence[str], asked: Mapping[Column, str]) -> list[str]:
    """A column that is asked for as one thing is not taken for another."""
    return [name for name in usual if name not in asked.values()]


def _match(wanted: Sequence[str], there: Sequence[str]) -> str | None:
    for name in wanted:
        if name in there:
            return name
    folded = {name.strip().casefold() for name in wanted}
    alike = [name for name in there if name.strip().casefold() in folded]
    return alike[0] if len(alike) == 1 else None


def missing(name: str, column: Column, there: Sequence[str]) -> str:
    """Say that a column is not there, which are, and how to name the right one."""
    known = {item.strip().casefold(): item for item in there}
    close = difflib.get_close_matches(name, there, n=1, cutoff=0.5)
    close += [known[word] for word in _ELSEWHERE[column] if word in known]
    shown = ", ".join(repr(item) for item in there[:20]) or "nothing"
    hint = f" Did you mean {close[0]!r}?" if close else " Names stand in the first line of a table."
    example = close[0] if close else "NAME"
    return f"no column {name!r}, only {shown}.{hint} Say --columns {column}={example}"


def _nearest_hint(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" Did you mean {close[0]}?" if close else ""
