"""Why a program has no answer: every reason has a stable code and a message in four parts."""

from enum import StrEnum


class Code(StrEnum):
    """The reasons, by the names that programs may rely on."""

    EMPTY = "empty"
    SYNTAX = "syntax"
    RESERVED_NAME = "reserved_name"
    UNKNOWN_FUNCTION = "unknown_function"
    NO_END = "no_end"
    NO_RETURN = "no_return"
    TEXT_AFTER_RETURN = "text_after_return"
    UNKNOWN_NAME = "unknown_name"
    DIVISION_BY_ZERO = "division_by_zero"
    BAD_EXPONENT = "bad_exponent"
    WRONG_TYPE = "wrong_type"
    BAD_COUNT = "bad_count"
    BAD_INDEX = "bad_index"
    UNKNOWN_KEY = "unknown_key"
    NO_ANSWERER = "no_answerer"
    TOO_MANY_ASKS = "too_many_asks"
    NOT_CONVERTIBLE = "not_convertible"
    SOURCE_TOO_LONG = "source_too_long"
    TOO_DEEP = "too_deep"
    NUMBER_TOO_LONG = "number_too_long"
    TEXT_TOO_LONG = "text_too_long"
    TRACE_TOO_LONG = "trace_too_long"
    TOO_MANY_STEPS = "too_many_steps"
    TOO_SLOW = "too_slow"


def shortened(text: str, most: int = 60) -> str:
    """Return what a message quotes of a text that may be long."""
    return text if len(text) <= most else f"{text[:most]}..."


class PseudocodeError(Exception):
    """A program has no answer.

    Attributes:
        code: The reason, for programs.
        message: What failed, what was found, what was expected, what to do next.
        line: Line of the program, from 1, where one can be named.
    """

    def __init__(self, code: Code, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line


class ParseError(PseudocodeError):
    """The text is not a program of the dialect, or one beyond the limits."""


class ExecutionError(PseudocodeError):
    """The program cannot be computed, or not within the limits."""
