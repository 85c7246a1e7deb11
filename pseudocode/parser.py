"""Text to program, with lark's LALR parser, which needs no recursion however deep the text."""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import cast

from lark import Lark
from lark.common import LexerConf
from lark.exceptions import UnexpectedInput
from lark.lexer import ContextualLexer, PatternRE, TerminalDef

from pseudocode.builder import BeyondLimit, Builder
from pseudocode.diagnosis import diagnose
from pseudocode.errors import Code, ParseError
from pseudocode.grammar import grammar_text
from pseudocode.limits import DEFAULT_LIMITS, Limits
from pseudocode.program import Instruction, Line, Program


def parse(source: str, limits: Limits = DEFAULT_LIMITS) -> Program:
    """Parse a program.

    A model that decodes under the grammar writes one space at most and no blank lines; here blank
    lines, indentation, tabs, runs of spaces, carriage returns before line ends and comments
    (`# ...`) below the last line do not matter.

    Raises:
        ParseError: The text is not a program, or is longer or deeper than `limits` allow, or has a
            literal with more digits.
    """
    _check_length(source, limits.max_source_bytes)
    stripped = enumerate(map(str.strip, source.split("\n")), start=1)
    numbered = [(number, row) for number, row in stripped if row]
    while numbered and numbered[-1][1].startswith("#"):
        numbered.pop()
    if not numbered:
        raise ParseError(
            Code.EMPTY,
            "The program is empty; expected lines `name = expression` and then `return expression`. "
            "Write at least the return line.",
        )
    text = re.sub(r"[ \t]+", " ", "\n".join(row for _, row in numbered))
    try:
        parsed = _lark(limits.max_depth, limits.max_digits).parse(text)
    except UnexpectedInput as error:
        problem = diagnose(error, text.split("\n"))
        raise ParseError(problem.code, problem.message, numbered[problem.row][0]) from error
    except BeyondLimit as error:
        raise ParseError(error.code, error.message, numbered[error.row][0]) from error
    # lark types every parse as a Tree; with a transformer it is what `start` returned.
    pairs = cast("list[tuple[str, tuple[Instruction, ...]]]", parsed)
    lines = [
        Line(number, name, code, _expression(name, row))
        for (number, row), (name, code) in zip(numbered, pairs, strict=True)
    ]
    return Program(tuple(lines))


def _check_length(source: str, max_source_bytes: int) -> None:
    # No character takes less than a byte, so an endless text need not be encoded.
    size_bytes = len(source)
    if size_bytes <= max_source_bytes:
        size_bytes = len(source.encode("utf-8", errors="surrogatepass"))
    if size_bytes > max_source_bytes:
        raise ParseError(
            Code.SOURCE_TOO_LONG,
            f"The program has at least {size_bytes} bytes; at most {max_source_bytes} are allowed. "
            "Shorten it.",
        )


def _expression(name: str, row: str) -> str:
    return (row[len("return") :] if name == "return" else row.partition("=")[2]).strip()


@lru_cache(maxsize=8)
def _lark(max_depth: int, max_digits: int) -> Lark:
    return Lark(
        grammar_text(),
        parser="lalr",
        transformer=Builder(max_depth, max_digits),
        edit_terminals=_end_at_word,
        _plugins={"ContextualLexer": _Lexer},
    )


def _end_at_word(terminal: TerminalDef) -> None:
    # Python's `re` takes the first alternative that fits, llguidance the longest: without this the
    # grammar's NAME would find the name `mi` in `min(1, 2)`.
    if terminal.name == "NAME":
        terminal.pattern = PatternRE(terminal.pattern.value + r"\b", terminal.pattern.flags)


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
