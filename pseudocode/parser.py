"""Text to program, with lark's LALR parser, which needs no recursion however deep the text."""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import cast

from lark import Lark
from lark.common import LexerConf
from lark.exceptions import UnexpectedInput
from lark.lexer import ContextualLexer, PatternRE, TerminalDef

from pseudocode.builder import BeyondLimit, Builder, Row
from pseudocode.diagnosis import diagnose
from pseudocode.errors import Code, ParseError
from pseudocode.grammar import Level, grammar_text
from pseudocode.limits import DEFAULT_LIMITS, Limits
from pseudocode.program import Line, Program
from pseudocode.words import expression_of, spaced

_BLANKS = re.compile(r'("[^"\n]*")|[ \t]+')


def parse(source: str, limits: Limits = DEFAULT_LIMITS, level: Level = "task") -> Program:
    """Parse a program.

    A model that decodes under the grammar writes one space at most and no blank lines; here blank
    lines, indentation, tabs, runs of spaces, carriage returns before line ends and lines that are
    comments (`# ...`) do not matter.

    Args:
        source: The program's text.
        limits: Bounds on its length and depth, and on the digits of its literals.
        level: How much of the dialect is allowed; see `grammar_text`.

    Raises:
        ParseError: The text is not a program, or goes beyond a limit.
    """
    check_length(source, limits.max_source_bytes)
    stripped = enumerate(map(str.strip, source.split("\n")), start=1)
    numbered = [(number, row) for number, row in stripped if row and row[0] != "#"]
    if not numbered:
        raise ParseError(
            Code.EMPTY,
            "The program is empty; expected lines `name = expression` and then `return expression`. "
            "Write at least the return line.",
        )
    text = spaced(_BLANKS.sub(_one_blank, "\n".join(row for _, row in numbered)))
    try:
        parsed = _lark(level, limits.max_depth, limits.max_digits).parse(text)
    except UnexpectedInput as error:
        problem = diagnose(error, text.split("\n"))
        raise ParseError(problem.code, problem.message, numbered[problem.row][0]) from error
    except BeyondLimit as error:
        raise ParseError(error.code, error.message, numbered[error.row][0]) from error
    # lark types every parse as a Tree; with a transformer it is what `start` returned.
    rows = cast("list[Row]", parsed)
    return Program(tuple(map(_line, numbered, rows)))


def _one_blank(match: re.Match[str]) -> str:
    return match[1] or " "


def _line(numbered: tuple[int, str], row: Row) -> Line:
    number, text = numbered
    if row.unit is not None:
        text = text[: text.rindex("#")].rstrip()
    return Line(number, row.name, row.code, expression_of(row.kind, text), row.kind, row.unit)


def check_length(source: str, max_source_bytes: int) -> None:
    """Refuse a text that has more bytes than a program may have, or cannot be written in UTF-8.

    Raises:
        ParseError: It has, or it cannot.
    """
    # No character takes less than a byte, so an endless text need not be encoded.
    size_bytes = len(source)
    if size_bytes <= max_source_bytes:
        try:
            size_bytes = len(source.encode())
        except UnicodeEncodeError as error:
            raise ParseError(
                Code.SYNTAX,
                f"The program has half a character, U+{ord(source[error.start]):04X}, which no text "
                "can have; expected Unicode. See how the text was decoded.",
                source.count("\n", 0, error.start) + 1,
            ) from error
    if size_bytes > max_source_bytes:
        raise ParseError(
            Code.SOURCE_TOO_LONG,
            f"The program has at least {size_bytes} bytes; at most {max_source_bytes} are allowed. "
            "Shorten it.",
        )


@lru_cache(maxsize=8)
def _lark(level: Level, max_depth: int, max_digits: int) -> Lark:
    return Lark(
        grammar_text(level),
        parser="lalr",
        transformer=Builder(max_depth, max_digits),
        edit_terminals=_end_at_word,
        _plugins={"ContextualLexer": _Lexer},
    )


def _end_at_word(terminal: TerminalDef) -> None:
    # Python's `re` takes the first alternative that fits, llguidance the longest: without this the
    # grammar's NAME would find the name `retu` in `return`, and the name `min` in `min(1, 2)`.
    if terminal.name == "NAME":
        terminal.pattern = PatternRE(terminal.pattern.value + r"\b(?!\()", terminal.pattern.flags)


class _Lexer(ContextualLexer):
    """lark's own, less the search for overlapping terminals that takes it half a second.

    lark makes that search where the package interegular is installed, as it is beside vLLM.
    """

    def __init__(
        self,
        conf: LexerConf,
        states: dict[int, Collection[str]],
        always_accept: Collection[str] = (),
    ) -> None:
        conf.skip_validation = True
        super().__init__(conf, states, always_accept)
