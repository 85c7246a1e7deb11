"""Python expressions as postfix code, from their syntax tree alone; nothing is evaluated."""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from pseudocode.numbers import read_number
from pseudocode.program import Apply, Instruction, Name, Number
from pseudocode.python_names import from_python_name

_OPERATORS: Mapping[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.FloorDiv: "floor_divide",
    ast.Mod: "modulo",
    ast.Pow: "raise_to",
    ast.Lt: "less",
    ast.LtE: "at_most",
    ast.Gt: "greater",
    ast.GtE: "at_least",
    ast.Eq: "equal",
    ast.NotEq: "unequal",
}
_FUNCTIONS: Mapping[str, str] = {
    "min": "minimum",
    "max": "maximum",
    "sum": "total",
    "abs": "absolute",
    "round": "round_half_even",
    "floor": "round_down",
    "ceil": "round_up",
    "len": "length",
}
_SAME = frozenset({"Fraction", "whole", "count"})
_DECIMAL = re.compile(r"([0-9]+(?:\.[0-9]+)?)(e-2)?")


class Unsupported(Exception):  # noqa: N818 - it never leaves the reader
    """Something has no form in the dialect; `node` says where."""

    def __init__(self, what: str, node: ast.AST) -> None:
        super().__init__(what)
        self.what = what
        self.line: int | None = getattr(node, "lineno", None)


class _Form(NamedTuple):
    """An operation, or nothing, on what the parts compute."""

    parts: Sequence[ast.expr]
    instruction: Instruction | None


def code_of(expression: ast.expr, rows: Sequence[bytes]) -> tuple[Instruction, ...]:
    """Return the postfix code of an expression.

    Args:
        expression: From the syntax tree of a text.
        rows: The text's lines in UTF-8, where decimals are read as they are written.

    Raises:
        Unsupported: A part has no form in the dialect.
    """
    code: list[Instruction] = []
    waiting: list[ast.expr | Instruction] = [expression]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, ast.expr):
            code.append(part)
            continue
        read = _READERS.get(type(part))
        if read is None:
            raise Unsupported(type(part).__name__, part)
        parts, instruction = read(part, rows)
        if instruction is not None:
            waiting.append(instruction)
        waiting.extend(reversed(parts))
    return tuple(code)


def _constant(node: ast.Constant, rows: Sequence[bytes]) -> _Form:
    if isinstance(node.value, bool):
        return _Form((), Number(Fraction(node.value)))
    if isinstance(node.value, int):
        return _Form((), Number(Fraction(node.value)))
    if not isinstance(node.value, float) or node.lineno != node.end_lineno:
        raise Unsupported(f"{type(node.value).__name__} {node.value!r}"[:60], node)
    # The float has lost what was written, and may be infinite.
    written = rows[node.lineno - 1][node.col_offset : node.end_col_offset].decode("ascii")
    digits, _, exponent = written.replace("_", "").lower().partition("e")
    if abs(int(exponent or "0")) > _MAX_EXPONENT:
        raise Unsupported(f"float {written}"[:60], node)
    return _Form((), Number(Fraction(Decimal(f"{digits}e{exponent or '0'}"))))


# Beyond it the digits alone are longer than a program may be.
_MAX_EXPONENT = 1_000


def _name(node: ast.Name, _rows: Sequence[bytes]) -> _Form:
    return _Form((), Name(from_python_name(node.id)))


def _binary(node: ast.BinOp, _rows: Sequence[bytes]) -> _Form:
    operation = _OPERATORS.get(type(node.op))
    if operation is None:
        raise Unsupported(type(node.op).__name__, node)
    return _Form((node.left, node.right), Apply(operation, 2))


def _unary(node: ast.UnaryOp, _rows: Sequence[bytes]) -> _Form:
    if isinstance(node.op, ast.UAdd):
        return _Form((node.operand,), None)
    if isinstance(node.op, ast.USub):
        return _Form((node.operand,), Apply("negate", 1))
    raise Unsupported(type(node.op).__name__, node)


def _compare(node: ast.Compare, _rows: Sequence[bytes]) -> _Form:
    operation = _OPERATORS.get(type(node.ops[0]))
    if len(node.ops) > 1 or operation is None:
        raise Unsupported("a chain of comparisons, or `in` or `is`", node)
    return _Form((node.left, node.comparators[0]), Apply(operation, 2))


def _list(node: ast.List, _rows: Sequence[bytes]) -> _Form:
    return _Form(node.elts, Apply("items", len(node.elts)))


def _subscript(node: ast.Subscript, _rows: Sequence[bytes]) -> _Form:
    if not isinstance(node.value, ast.Name):
        raise Unsupported("an item of something that has no name", node)
    return _Form((node.value, node.slice), Apply("index", 2))


def _call(node: ast.Call, _rows: Sequence[bytes]) -> _Form:
    name = _called(node.func)
    arguments = node.args
    if node.keywords or not arguments:
        raise Unsupported(f"a call of {name}", node)
    only = arguments[0] if len(arguments) == 1 else None
    if name == "Fraction" and isinstance(only, ast.Constant) and isinstance(only.value, str):
        return _Form((), _written(only.value, node))
    if name == "Fraction" and len(arguments) == 2:
        return _Form(arguments, Apply("divide", 2))
    if only and (name in _SAME or (name == "int" and isinstance(only, ast.Compare))):
        return _Form((only,), None)
    if name == "sum" and isinstance(only, ast.Tuple):
        return _Form(only.elts, Apply("total", len(only.elts)))
    operation = _FUNCTIONS.get(name)
    if operation is None or not (only or name in ("min", "max")):
        raise Unsupported(f"a call of {name}", node)
    return _Form(arguments, Apply(operation, len(arguments)))


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id
    if (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "math"
    ):
        return function.attr
    return "a method"


def _written(text: str, node: ast.AST) -> Number:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise Unsupported(f"Fraction({text!r})"[:60], node)
    value = read_number(match[1])
    return Number(value / 100, percent=True) if match[2] else Number(value)


_READERS: Mapping[type[ast.AST], Callable[..., _Form]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.List: _list,
    ast.Subscript: _subscript,
    ast.Call: _call,
}
