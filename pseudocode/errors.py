"""Why a program has no answer; every reason has a stable code."""


class PseudocodeError(Exception):
    """A program has no answer.

    Attributes:
        code: Stable name of the reason, for programs.
        message: What failed, what was found, what was expected.
        line: Line of the program, from 1, where one can be named.
    """

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line


class ParseError(PseudocodeError):
    """The text is not a program of the dialect."""


class ExecutionError(PseudocodeError):
    """The program cannot be computed: an unknown name, a division by zero, a bad exponent."""


class LimitError(PseudocodeError):
    """The program is longer, deeper, slower or its numbers larger than allowed."""
