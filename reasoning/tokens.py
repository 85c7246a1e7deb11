"""Text as tokens of arithmetic: numbers, operators, units, and everything that ends a calculation.

Full-width and LaTeX forms, Chinese numerals and operators in words of both languages are read.
"""

import re
from typing import Literal, NamedTuple

Kind = Literal["number", "operator", "equals", "about", "unit", "other", "end"]


class Token(NamedTuple):
    """A piece of text.

    Attributes:
        kind: What it is; `end` ends a calculation, `other` makes one beside it unreadable.
        text: For an operator its plain sign, else as written (full-width digits made plain).
        start: Where it begins in the whole text.
        end: Where it ends.
        word: Whether it is an operator in words.
    """

    kind: Kind
    text: str
    start: int
    end: int
    word: bool = False


# One character each, so that positions stay those of the text.
_PLAIN = str.maketrans(
    {**{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if code != 0xFF0C}}
    | {"−": "-", "–": "-", "﹣": "-", "＝": "=", "∕": "/", "﹢": "+", "\u00a0": " "}
)
_OPERATORS = {
    "×": "*", "✕": "*", "✖": "*", "·": "*", "⋅": "*", "∙": "*", "•": "*", "⨯": "*", "**": "^",
    "÷": "/", "\\times": "*", "\\cdot": "*", "\\div": "/", "x": "*", "X": "*",
    "plus": "+", "minus": "-", "times": "*", "multiplied by": "*", "divided by": "/", "of": "*of",
    "加上": "+", "加": "+", "减去": "-", "减": "-", "乘以": "*", "乘": "*", "除以": "/", "的": "*of",
    "[": "(", "]": ")", "{": "(", "}": ")",
}  # fmt: skip
_HANZI = "\u3400-\u9fff"
# Not the first half of a unit: 千克, 千米, 千瓦.
_NUMERALS = "(?:(?!千[克米瓦])[零〇一二两三四五六七八九十百千])+"
_NUMBER = (
    rf"百分之(?:\d+(?:\.\d+)?|{_NUMERALS})|\d+分之\d+|{_NUMERALS}(?:分之{_NUMERALS})?"
    r"|(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+"
)
_WORD = rf"[^\W\d_{_HANZI}]+|[{_HANZI}]"
_TOKENS = re.compile(
    "|".join(
        f"(?P<{name}>{pattern})"
        for name, pattern in {
            "clock": r"(?<=\d):(?=\d)",
            "stop": r"\\[()\[\]]|\$\$",
            "blank": r"[ \t$¥€£°~]+|\\[,;! $]|\\(?:left|right|quad|qquad)\b",
            "about": r"≈|≒|\\approx|约等于|约为|approximately equals?",
            "equals": r"==?|等于|得到|得(?=\s*[\d-])|\bequals\b|is equal to\b|gives\b(?=\s*\$?\d)",
            "percent": r"\\?%",
            "fraction": r"\\[dt]?frac",
            "operator": (
                r"\*\*|[-+*/^()\[\]{}×✕✖·⋅∙•⨯÷]|\\times|\\cdot|\\div"
                r"|(?<=[\d)%\s])[xX](?=\s*[\d($.])"
                r"|\b(?:plus|minus|times|multiplied by|divided by|of)\b|加上|加|减去|减|乘以|乘|除以"
                rf"|的(?=\s*(?:[\d百]|{_NUMERALS}分之))"
            ),
            "remainder": r"余数?(?:是|为)?|…+|(?:\\[lc]?dots\s*)+|\.{3,}|\bremainder\b|\b[rR]\b(?=\s*\d)",
            "command": r"\\[A-Za-z]+",
            "number": _NUMBER,
            "power": "[²³]",
            "unit": rf"/?(?:{_WORD})(?:/(?:{_WORD}))*(?:\^[23](?!\d)|[²³])?",
        }.items()
    )
)
_RATIO_WORDS = {"twice", "double", "half", "thrice", "triple", "倍", "半"}


def tokenise(text: str) -> list[Token]:
    """Read a text as tokens; characters that mean nothing here are `end`."""
    plain = text.translate(_PLAIN)
    tokens: list[Token] = []
    position = 0
    while position < len(plain):
        match = _TOKENS.match(plain, position)
        if match is None:
            kind: Kind = "other" if plain[position] in "?□√<>_" else "end"
            tokens.append(Token(kind, plain[position], position, position + 1))
            position += 1
            continue
        position = match.end()
        if match.lastgroup != "blank":
            tokens.append(_token(match))
    return [_part_of(tokens, at) for at in range(len(tokens))]


def _part_of(tokens: list[Token], at: int) -> Token:
    """`of` and 的 multiply only between a share and a number: 20% of 50, 50 的 1/2."""
    token = tokens[at]
    if token.text != "*of":
        return token
    before = tokens[max(0, at - 3) : at]
    if before and (before[-1].kind == "number" or before[-1].text in ("<percent>", ")")):
        return token._replace(text="*")
    counted = any(item.kind in ("number", "operator") for item in before)
    return token._replace(kind="other" if counted else "end")


def _token(match: re.Match[str]) -> Token:
    name, text = match.lastgroup, match[0]
    start = match.start()
    if name == "operator":
        word = (len(text) > 2 and text[0] != "\\") or text[0] > "\u3400"
        return Token("operator", _OPERATORS.get(text, text), start, match.end(), word)
    if name == "stop":
        return Token("end", text, start, match.end())
    if name in ("percent", "fraction", "remainder", "power"):
        sign = {"²": "^2", "³": "^3"}.get(text, f"<{name}>")
        return Token("operator", sign, start, match.end())
    touches = start > 0 and match.string[start - 1].isdigit()
    if name in ("clock", "command") or (
        name == "unit" and _is_variable(text, touches_digit=touches)
    ):
        return Token("other", text, start, match.end())
    kind: dict[str | None, Kind] = {
        "number": "number", "equals": "equals", "about": "about", "unit": "unit"
    }  # fmt: skip
    return Token(kind[name], text, start, match.end())


# `5 m` and `2 h` are units, `2m` and `3x` may be algebra.
_UNIT_LETTERS = {True: frozenset("g"), False: frozenset("mgLhst")}


def _is_variable(text: str, *, touches_digit: bool) -> bool:
    """Whether a word makes a calculation something that cannot be recomputed."""
    word = text.lstrip("/")
    single = len(word) == 1 and word.isascii() and word not in _UNIT_LETTERS[touches_digit]
    return single or word.lower() in _RATIO_WORDS
