"""Text to program, with lark's LALR parser, which needs no recursion however deep the text."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import cast

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from pseudocode.errors import LimitError, ParseError
from pseudocode.grammar import grammar_text
from pseudocode.program import Call, Expression, Line, Name, Number, Program

MAX_SOURCE_BYTES = 65_536
MAX_DEPTH = 64
RESERVED = frozenset({"return", "min", "max", "abs", "round", "floor", "ceil"})


def parse(
    source: str, *, max_source_bytes: int = MAX_SOURCE_BYTES, max_depth: int = MAX_DEPTH
) -> Program:
    """Parse a program; blank lines, surrounding white space and carriage returns do not matter.

    Raises:
        ParseError: The text is not a program of the dialect.
        LimitError: It is longer than `max_source_bytes` or nested deeper than `max_depth`.
    """
    size_bytes = len(source.encode("utf-8", errors="surrogatepass"))
    if size_bytes > max_source_bytes:
        raise LimitError(
            "source_too_long",
            f"The program has {size_bytes} bytes; at most {max_source_bytes} are allowed.",
        )
    numbered = [
        (number, line.strip())
        for number, line in enumerate(source.replace("\r\n", "\n").split("\n"), start=1)
        if line.strip()
    ]
    if not numbered:
        raise ParseError("empty", "The program is empty; expected lines and a `return` at the end.")
    try:
        parsed = _tree("\n".join(text for _, text in numbered))
    except UnexpectedInput as error:
        raise _explained(error, numbered) from error
    lines = []
    for (number, text), (name, expression) in zip(numbered, parsed, strict=True):
        if expression.depth > max_depth:
            raise LimitError(
                "too_deep",
                f"Line {number} is nested {expression.depth} deep; at most {max_depth} are allowed.",
                number,
            )
        shown = text.removeprefix("return") if name == "return" else text.partition("=")[2]
        lines.append(Line(number, name, expression, shown.strip()))
    return Program(tuple(lines))


class _Build(Transformer[Token, list[tuple[str, Expression]]]):
    """Makes expressions bottom-up while the parser reduces, so nothing recurses."""

    def start(self, children: list[tuple[str, Expression]]) -> list[tuple[str, Expression]]:
        return children

    def assignment(self, children: list[Expression | Token]) -> tuple[str, Expression]:
        token, expression = cast("tuple[Token, Expression]", children)
        name = str(token)
        if name in RESERVED:
            raise ParseError(
                "reserved_name",
                f"{name!r} is a word of the dialect; choose another name.",
                token.line,
            )
        return name, expression

    def result(self, children: list[Expression]) -> tuple[str, Expression]:
        return "return", children[0]

    def number(self, children: list[Token]) -> Number:
        return Number(Fraction(str(children[0])))

    def name(self, children: list[Token]) -> Name:
        return Name(str(children[0]))


def _operation(name: str) -> Callable[[_Build, list[Expression]], Call]:
    def build(_self: _Build, children: list[Expression]) -> Call:
        return Call(name, tuple(children), 1 + max(child.depth for child in children))

    return build


OPERATIONS = (
    *("add", "subtract", "multiply", "divide", "floor_divide", "modulo", "negate", "raise_to"),
    *("minimum", "maximum", "absolute", "round_half_even", "round_down", "round_up"),
)
for _name in OPERATIONS:
    setattr(_Build, _name, _operation(_name))


@cache
def _lark() -> Lark:
    return Lark(grammar_text(), parser="lalr", transformer=_Build())


def _tree(text: str) -> list[tuple[str, Expression]]:
    # lark types every parse as a Tree; with a transformer it is what `start` returned.
    return cast("list[tuple[str, Expression]]", _lark().parse(text))


def _explained(error: UnexpectedInput, numbered: list[tuple[int, str]]) -> ParseError:
    """Say in the dialect's own terms where the text stops being a program."""
    position = error.line if error.line > 0 else len(numbered)
    number, text = numbered[min(position, len(numbered)) - 1]
    if isinstance(error, UnexpectedCharacters):
        found = f"the character {text[error.column - 1 : error.column]!r}"
    elif isinstance(error, UnexpectedToken) and error.token.type != "$END":
        found = repr(str(error.token))
        if text.startswith("return") and str(error.token) == "\n":
            return ParseError(
                "text_after_return",
                f"The program goes on after its return on line {number}; expected its end there.",
                number,
            )
    else:
        found = "the end"
    if (
        not numbered[-1][1].startswith("return")
        and position >= len(numbered)
        and found == "the end"
    ):
        return ParseError(
            "no_return",
            "The program has no return; expected `return expression` at the end.",
            number,
        )
    return ParseError(
        "syntax",
        f"Line {number} is {text[:80]!r}, with {found} where it does not belong; expected "
        "`name = expression` or `return expression`.",
        number,
    )
