"""The text of the one grammar, for whoever parses with it or decodes under it."""

import re
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

Level = Literal["straight", "control", "task"]
LEVELS: tuple[Level, ...] = get_args(Level)

_UNIT_RULE = re.compile(r"^UNIT: .*\n", re.MULTILINE)
_MARK = re.compile(r" *// (control|task)$")


@cache
def grammar_text(level: Level = "straight", *, comments: bool = True) -> str:
    """Return the dialect's grammar in Lark's notation.

    vLLM takes the same text as the `grammar` of its structured outputs (backend `guidance`).

    Args:
        level: How much of the dialect: "straight" has steps alone, "control" conditions, loops and
            lists too, "task" texts, tables and leaf steps as well.
        comments: Whether a line may end in a unit. To decode under, leave them out: what a model
            writes there is computed by nobody, and one that is unsure writes there at length.
    """
    above = LEVELS[LEVELS.index(level) + 1 :]
    lines = []
    for line in files("pseudocode").joinpath("dialect.lark").read_text("utf-8").splitlines():
        mark = _MARK.search(line)
        if mark is None or mark[1] not in above:
            lines.append(line[: mark.start()] if mark else line)
    text = "\n".join(lines) + "\n"
    return text if comments else _UNIT_RULE.sub("", text.replace(" UNIT?", ""))
