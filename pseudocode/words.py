"""The words of the rows that are not plain steps, in both languages, as `dialect.lark` has them.

`{}` stands for the row's expression and `{name}` for the name that it gives a value to.
"""

import re
from collections.abc import Mapping
from typing import Literal

from pseudocode.program import Kind

Language = Literal["en", "zh"]

FORMS: Mapping[Kind, Mapping[Language, str]] = {
    "step": {"en": "{name} = {}", "zh": "{name} = {}"},
    "return": {"en": "return {}", "zh": "返回 {}"},
    "append": {"en": "append {} to {name}", "zh": "追加 {} 到 {name}"},
    "if": {"en": "if {} then", "zh": "如果 {} 那么"},
    "else if": {"en": "else if {} then", "zh": "否则如果 {} 那么"},
    "else": {"en": "else", "zh": "否则"},
    "repeat": {"en": "repeat {} times", "zh": "重复 {} 次"},
    "while": {"en": "while {}", "zh": "当 {} 时"},
    "for each": {"en": "for each {name} in {}", "zh": "对每个 {name} 在 {}"},
    "end": {"en": "end", "zh": "结束"},
    "ask": {"en": "{name} = ask {}", "zh": "{name} = 询问 {}"},
}

# Which rows begin with which words, and how many words follow their expression.
_HEADS: Mapping[Kind, tuple[str, ...]] = {
    "return": ("return", "返回"),
    "append": ("append", "追加"),
    "if": ("if", "如果"),
    "else if": ("else if", "elif", "否则如果"),
    "repeat": ("repeat", "重复"),
    "while": ("while", "当"),
}
_WORDS_AFTER: Mapping[Kind, int] = {"append": 2, "if": 1, "else if": 1, "repeat": 1}
_LAST_OF_WHILE = ("do", "时")

_TIGHT_WORD = re.compile(
    rf"^({'|'.join(word for words in _HEADS.values() for word in words)})\(", re.M
)


def spaced(text: str) -> str:
    """Put the space after a row's first word that `if(a > b) then` leaves out."""
    return _TIGHT_WORD.sub(r"\1 (", text)


def expression_of(kind: Kind, row: str) -> str:
    """Return the expression of a row without a unit, as written; empty where the row has none."""
    if kind in ("step", "ask"):
        return row.partition("=")[2].strip()
    if kind == "for each":
        return re.sub(r"^(?:for\s+each|对每个)\s+\w+\s+\w+\s+", "", row)
    if kind not in _HEADS:
        return ""
    rest = re.sub(r"^(?:else\s+if|\w+)\s*", "", row)
    words = _WORDS_AFTER.get(kind, 0)
    if kind == "while" and rest.split()[-1] in _LAST_OF_WHILE and len(rest.split()) > 1:
        words = 1
    return rest.rsplit(maxsplit=words)[0] if words else rest
