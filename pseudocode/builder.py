"""From the grammar's rules to postfix code, bottom-up while lark reduces, so nothing recurses."""

from collections.abc import Callable
from typing import NamedTuple, cast

from lark import Token, Transformer

from pseudocode.errors import Code
from pseudocode.numbers import read_number
from pseudocode.program import Apply, Instruction, Name, Number


class BeyondLimit(Exception):  # noqa: N818 - it is no error of ours, and never leaves the parser
    """An expression goes beyond a limit.

    Attributes:
        code: Which limit.
        message: For people.
        row: Line of the text that lark was given, from 0.
    """

    def __init__(self, code: Code, message: str, token: Token) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.row = (token.line or 1) - 1


class Expression(NamedTuple):
    """Postfix code being built; `depth` counts what nests in it, not how long it is."""

    depth: int
    code: list[Instruction]


Method = Callable[["Builder", list[Expression]], Expression]


def _chained(operation: str) -> Method:
    """Two operands, as deep as the deeper: however long a sum is, it does not nest."""
    instruction = Apply(operation, 2)

    def build(_self: "Builder", operands: list[Expression]) -> Expression:
        left, right = operands
        left.code.extend(right.code)
        left.code.append(instruction)
        return left if left.depth >= right.depth else Expression(right.depth, left.code)

    return build


def _nested(operation: str) -> Method:
    """Operands inside a function, a sign or a power: one deeper than the deepest."""

    def build(self: "Builder", operands: list[Expression]) -> Expression:
        depth = 1 + max(operand.depth for operand in operands)
        # Nothing runs beyond the limit, and copying ever longer code there would be slow.
        if depth > self.max_depth:
            return Expression(depth, [])
        code = operands[0].code
        for operand in operands[1:]:
            code.extend(operand.code)
        code.append(Apply(operation, len(operands)))
        return Expression(depth, code)

    return build


class Builder(Transformer[Token, Expression]):
    """Called by lark with the parts of each rule; its methods bear the rules' names."""

    def __init__(self, max_depth: int, max_digits: int) -> None:
        super().__init__()
        self.max_depth = max_depth
        self.max_digits = max_digits

    add = _chained("add")
    subtract = _chained("subtract")
    multiply = _chained("multiply")
    divide = _chained("divide")
    floor_divide = _chained("floor_divide")
    modulo = _chained("modulo")

    negate = _nested("negate")
    raise_to = _nested("raise_to")
    minimum = _nested("minimum")
    maximum = _nested("maximum")
    absolute = _nested("absolute")
    round_half_even = _nested("round_half_even")
    round_down = _nested("round_down")
    round_up = _nested("round_up")

    def group(self, operands: list[Expression]) -> Expression:
        """Count a pair of parentheses, which has no other effect."""
        (inner,) = operands
        depth = inner.depth + 1
        return Expression(depth, inner.code if depth <= self.max_depth else [])

    def number(self, tokens: list[Token]) -> Expression:
        """Read a literal."""
        (token,) = tokens
        digits = len(token) - token.count(".")
        if digits > self.max_digits:
            raise BeyondLimit(
                Code.NUMBER_TOO_LONG,
                f"A literal has {digits} digits; at most {self.max_digits} are allowed. "
                "Write a shorter number.",
                token,
            )
        return Expression(0, [Number(read_number(token))])

    def name(self, tokens: list[Token]) -> Expression:
        """Look up a name."""
        return Expression(0, [Name(str(tokens[0]))])

    def assignment(self, parts: list[Token | Expression]) -> tuple[str, tuple[Instruction, ...]]:
        """Finish a line: what gets a value, and how it is computed."""
        name, expression = cast("tuple[Token, Expression]", parts)
        if expression.depth > self.max_depth:
            raise BeyondLimit(
                Code.TOO_DEEP,
                f"An expression nests {expression.depth} deep; at most {self.max_depth} are "
                "allowed. Spread it over several lines.",
                name,
            )
        return str(name), tuple(expression.code)

    result = assignment

    def start(self, lines: list[object]) -> list[object]:
        """Finish the program."""
        return lines
