"""From the grammar's rules to rows of postfix code, bottom-up while lark reduces: nothing recurses."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple, cast

from lark import Token, Transformer

from pseudocode.errors import Code
from pseudocode.numbers import read_number
from pseudocode.program import Apply, Instruction, Kind, Name, Number, Text


class BeyondLimit(Exception):  # noqa: N818 - it is no error of ours, and never leaves the parser
    """An expression goes beyond a limit.

    Attributes:
        code: Which limit.
        message: For people.
        row: Row of the text that lark was given, from 0.
    """

    def __init__(self, code: Code, message: str, row: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.row = row


class Expression(NamedTuple):
    """Postfix code being built; `depth` counts what nests in it, not how long it is."""

    depth: int
    code: list[Instruction]


class Row(NamedTuple):
    """One row of the text; `depth` is that of its expression."""

    kind: Kind
    name: str
    depth: int
    code: tuple[Instruction, ...]
    unit: str | None


# A block is the list of its rows, with the blocks inside it as lists of their own.
Block = list["Row | Block"]
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
    """Operands inside brackets, a sign or a power: one deeper than the deepest."""

    def build(self: "Builder", operands: list[Expression]) -> Expression:
        depth = 1 + max((operand.depth for operand in operands), default=0)
        # Nothing runs beyond the limit, and copying ever longer code there would be slow.
        if depth > self.max_depth:
            return Expression(depth, [])
        code = operands[0].code if operands else []
        for operand in operands[1:]:
            code.extend(operand.code)
        code.append(Apply(operation, len(operands)))
        return Expression(depth, code)

    return build


def _row(kind: Kind) -> Callable[["Builder", list[Expression]], Row]:
    """Build a row that has an expression and no name."""

    def build(_self: "Builder", parts: list[Expression]) -> Row:
        depth, code = parts[0] if parts else Expression(0, [])
        return Row(kind, kind, depth, tuple(code), None)

    return build


def _unit(parts: Sequence[object]) -> str | None:
    """The unit that may end a row's parts, without its mark."""
    last = parts[-1]
    if isinstance(last, Token) and last.type == "UNIT":
        return last.partition("#")[2].strip()
    return None


class Builder(Transformer[Token, Expression]):
    """Called by lark with the parts of each rule; its methods bear the rules' names."""

    def __init__(self, max_depth: int, max_digits: int) -> None:
        super().__init__()
        self.max_depth = max_depth
        self.max_digits = max_digits

    less = _chained("less")
    at_most = _chained("at_most")
    greater = _chained("greater")
    at_least = _chained("at_least")
    equal = _chained("equal")
    unequal = _chained("unequal")

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
    total = _nested("total")
    absolute = _nested("absolute")
    round_half_even = _nested("round_half_even")
    round_down = _nested("round_down")
    round_up = _nested("round_up")
    length = _nested("length")
    index = _nested("index")
    items = _nested("items")

    if_row = _row("if")
    else_if_row = _row("else if")
    else_row = _row("else")
    repeat_row = _row("repeat")
    while_row = _row("while")
    end_row = _row("end")

    def group(self, operands: list[Expression]) -> Expression:
        """Count a pair of parentheses, which has no other effect."""
        (inner,) = operands
        depth = inner.depth + 1
        return Expression(depth, inner.code if depth <= self.max_depth else [])

    def entry(self, operands: list[Expression]) -> list[Expression]:
        """Keep a key and its value together."""
        return operands

    def table(self, entries: list[list[Expression]]) -> Expression:
        """Put a table's keys and values in a row."""
        return _TABLE(self, [part for entry in entries for part in entry])

    def number(self, tokens: list[Token]) -> Expression:
        """Read a literal."""
        (token,) = tokens
        return Expression(0, [Number(self._read(token, token))])

    def percent(self, tokens: list[Token]) -> Expression:
        """Read a percentage, which is a number of hundredths."""
        (token,) = tokens
        return Expression(0, [Number(self._read(token[:-1], token) / 100, percent=True)])

    def _read(self, literal: str, token: Token) -> Fraction:
        digits = len(literal) - literal.count(".")
        if digits > self.max_digits:
            raise BeyondLimit(
                Code.NUMBER_TOO_LONG,
                f"A literal has {digits} digits; at most {self.max_digits} are allowed. "
                "Write a shorter number.",
                (token.line or 1) - 1,
            )
        return read_number(literal)

    def text(self, tokens: list[Token]) -> Expression:
        """Take off a text's quotation marks."""
        return Expression(0, [Text(tokens[0][1:-1])])

    def name(self, tokens: list[Token]) -> Expression:
        """Look up a name."""
        return Expression(0, [Name(str(tokens[0]))])

    def assignment(self, parts: list[Token | Expression], kind: Kind = "step") -> Row:
        """Finish a row that gives a name a value."""
        target, expression = cast("tuple[Token, Expression]", parts[:2])
        name = target.partition("=")[0].rstrip()
        return Row(kind, name, expression.depth, tuple(expression.code), _unit(parts))

    def leaf(self, parts: list[Token | Expression]) -> Row:
        """Finish a row whose value is asked for."""
        return self.assignment(parts, "ask")

    def appending(self, parts: list[Token | Expression]) -> Row:
        """Finish a row that makes a list longer."""
        expression, name = cast("tuple[Expression, Token]", parts[:2])
        return Row("append", str(name), expression.depth, tuple(expression.code), _unit(parts))

    def each_row(self, parts: list[Token | Expression]) -> Row:
        """Begin a loop over a list."""
        name, expression = cast("tuple[Token, Expression]", parts)
        return Row("for each", str(name), expression.depth, tuple(expression.code), None)

    def result(self, parts: list[Token | Expression]) -> Row:
        """Finish a return line."""
        expression = cast("Expression", parts[0])
        return Row("return", "return", expression.depth, tuple(expression.code), _unit(parts))

    def block(self, rows: Block) -> Block:
        """Finish what stands between the rows of a condition or a loop."""
        return rows

    conditional = block
    repetition = block

    def start(self, rows: Block) -> list[Row]:
        """Finish the program: its rows in order."""
        return _flat(rows, self.max_depth)


_TABLE = _nested("table")


def _flat(rows: Block, max_depth: int) -> list[Row]:
    """Put the rows of all blocks in order, each no deeper than allowed."""
    flat: list[Row] = []
    open_blocks = [iter(rows)]
    while open_blocks:
        part = next(open_blocks[-1], None)
        if part is None:
            open_blocks.pop()
        elif isinstance(part, Row):
            flat.append(part)
            # Each block is a list in the list of its condition or loop.
            _check_depth(max(part.depth, len(open_blocks) // 2), max_depth, len(flat) - 1)
        else:
            open_blocks.append(iter(part))
    return flat


def _check_depth(depth: int, max_depth: int, row: int) -> None:
    if depth > max_depth:
        raise BeyondLimit(
            Code.TOO_DEEP,
            f"An expression or block nests {depth} deep; at most {max_depth} are allowed. Spread "
            "it over several lines.",
            row,
        )
