"""Arithmetic as data sets write it (`1,200 x 5%`) → tokens of the pseudocode dialect."""

import re
import unicodedata
from collections.abc import Sequence
from fractions import Fraction

import pseudocode

_SPELLINGS = (
    (r"\\d?frac\s*\{([^{}]+)\}\s*\{([^{}]+)\}", r"(\1/\2)"),
    (r"\\times|[×xX]", "*"),
    (r"\\div|÷", "/"),
    (r"\\left|\\right|\$|\\,|\\ |(?<!\d)\s|\s(?!\d)|￥|¥", ""),
    (r"[\[{]", "("),
    (r"[\]}]", ")"),
    (r"\^", "**"),
    (r"(?<=\d),(?=\d{3}(?!\d))", ""),
    (r"(?<![\d.])\.(?=\d)", "0."),
    (r"(\d+(?:\.\d+)?)%(?!\d)", r"(\1/100)"),
    (r"(?<![\d.])0+(?=\d)", ""),
    (r"(?<=\d)\.(?!\d)", ""),
    (r"(?<![\d./)])(\d+)(\(\d+/\d+\))", r"(\1+\2)"),
    (r"^\+", ""),
)
_TOKEN = re.compile(r"\d+(?:\.\d+)?|\*\*|//|[-+*/()]")
_NUMBER = re.compile(r"\d")

# The data are a million short expressions at most: a busy machine must not fail one.
_PATIENT = pseudocode.Limits(timeout_s=60.0)


def tokenised(text: str) -> tuple[str, ...] | None:
    """Return the tokens of an arithmetic expression, or None where it is something else."""
    text = unicodedata.normalize("NFKC", text)
    for pattern, replacement in _SPELLINGS:
        text = re.sub(pattern, replacement, text)
    tokens = tuple(_TOKEN.findall(text))
    if not tokens or "".join(tokens) != text or evaluated(tokens) is None:
        return None
    return tokens


def evaluated(tokens: Sequence[str]) -> Fraction | None:
    """Return the exact value of an expression, or None where it has none."""
    return pseudocode.run(f"return {written(tokens)}", _PATIENT).value


def number(text: str) -> Fraction | None:
    """Return the value of a number or fraction as data sets write it, or None."""
    tokens = tokenised(text.strip().strip("."))
    return evaluated(tokens) if tokens else None


def is_number(token: str) -> bool:
    """Whether a token is a literal."""
    return _NUMBER.match(token) is not None


def written(tokens: Sequence[str]) -> str:
    """Return tokens as one line of the dialect: spaces around two-sided operators only."""
    text = ""
    operand_before = False
    for part in tokens:
        is_operator = part not in "()" and not (is_number(part) or part.isidentifier())
        text += f" {part} " if is_operator and operand_before else part
        operand_before = part == ")" or not (is_operator or part == "(")
    return text


def without_outer_parentheses(tokens: Sequence[str]) -> tuple[str, ...]:
    """Return `(1+2)` as `1+2`, and `(1+2)*(3+4)` as it is."""
    tokens = tuple(tokens)
    while tokens[:1] == ("(",) and _closing(tokens) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


def _closing(tokens: Sequence[str]) -> int:
    """Return the position of the parenthesis that closes the first one."""
    depth = 0
    for position, part in enumerate(tokens):
        depth += (part == "(") - (part == ")")
        if depth == 0:
            return position
    return -1
