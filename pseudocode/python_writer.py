"""A program as Python, for people and for tests: the same steps with `Fraction`, the same answer."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pseudocode.errors import Code, PseudocodeError
from pseudocode.flow import flow_of
from pseudocode.numbers import format_number
from pseudocode.operators import ATOM, BINARY, COMPARISONS, POWER, SIGN, SUM
from pseudocode.program import Apply, Kind, Line, Name, Number, Program, Text
from pseudocode.python_names import to_python_name

_FUNCTIONS = {
    "minimum": "min",
    "maximum": "max",
    "total": "sum",
    "absolute": "abs",
    "round_half_even": "round",
    "round_down": "math.floor",
    "round_up": "math.ceil",
    "length": "len",
}
_ROWS: Mapping[Kind, str] = {
    "step": "{name} = {}",
    "return": "return {}",
    "append": "{name} = [*{name}, {}]",
    "if": "if {}:",
    "else if": "elif {}:",
    "else": "else:",
    "repeat": "for _ in range({}):",
    "while": "while {}:",
    "for each": "for {name} in {}:",
}
_HELPERS = {
    "count": """def count(value):
    if value < 0:
        raise ValueError(value)
    return whole(value)
""",
    "whole": """def whole(value):
    if int(value) != value:
        raise ValueError(value)
    return int(value)
""",
}


class _Part(NamedTuple):
    """Python text, how tightly it binds, and whether its value is surely a `Fraction`."""

    text: str
    binding: int
    exact: bool = False


def to_python(program: Program) -> str:
    """Write a program of the levels "straight" and "control" as a Python function `solution`.

    Plain integers stay integers where that is exact; whatever divides or raises is a `Fraction`.

    Raises:
        PseudocodeError: The program has texts, tables or leaf steps.
    """
    depth = flow_of(program.lines).depth
    rows = [
        f"{'    ' * (indents + 1)}{_row(line)}{f'  # {line.unit}' if line.unit else ''}\n"
        for line, indents in zip(program.lines, depth, strict=True)
        if line.kind != "end"
    ]
    body = f"def solution():\n{''.join(rows)}"
    head = "import math\n" if "math." in body else ""
    if "Fraction(" in body:
        head += "from fractions import Fraction\n"
    helpers = ["count", "whole"] if "count(" in body else ["whole"] if "whole(" in body else []
    parts = [head, *(_HELPERS[helper] for helper in helpers), body]
    return "\n\n".join(part for part in parts if part)


def _row(line: Line) -> str:
    form = _ROWS.get(line.kind)
    if form is None:
        raise _not_python(line.kind, line.number)
    part = _part(line)
    text = part.text
    if line.kind in ("if", "else if", "while"):
        text = text.removeprefix("int(").removesuffix(")") if _is_comparison(line) else text
    elif line.kind == "repeat" and not isinstance(line.code[-1], Number):
        text = f"count({text})"
    return form.replace("{name}", to_python_name(line.name)).replace("{}", text, 1)


def _is_comparison(line: Line) -> bool:
    last = line.code[-1]
    return isinstance(last, Apply) and last.operation in COMPARISONS


def _not_python(what: str, line: int) -> PseudocodeError:
    return PseudocodeError(
        Code.NOT_CONVERTIBLE,
        f"The line has `{what}`, which has no form in Python; expected a program of the levels "
        "straight and control. Take it away.",
        line,
    )


def _part(line: Line) -> _Part:
    stack = [_Part("", ATOM)] if not line.code else []
    for instruction in line.code:
        if isinstance(instruction, Apply):
            if instruction.operation == "table":
                raise _not_python("a table", line.number)
            operands = stack[len(stack) - instruction.arity :]
            del stack[len(stack) - instruction.arity :]
            stack.append(_apply(instruction.operation, operands))
        elif isinstance(instruction, Text):
            raise _not_python("a text", line.number)
        else:
            stack.append(_leaf(instruction))
    return stack.pop()


def _leaf(instruction: Number | Name) -> _Part:
    if isinstance(instruction, Name):
        return _Part(to_python_name(instruction.name), ATOM)
    if instruction.percent:
        return _Part(f'Fraction("{format_number(instruction.value * 100)}e-2")', ATOM, exact=True)
    text = format_number(instruction.value)
    if instruction.value.denominator == 1 and len(text) < _INTEGER_DIGITS:
        return _Part(text, ATOM)
    return _Part(f'Fraction("{text}")', ATOM, exact=True)


# Python reads longer integers only where its limit is high enough.
_INTEGER_DIGITS = 600


def _apply(operation: str, operands: Sequence[_Part]) -> _Part:
    if operation in COMPARISONS:
        left, right = (_within(operand, SUM) for operand in operands)
        return _Part(f"int({left} {BINARY[operation][0]} {right})", ATOM)
    if operation in BINARY:
        return _binary(operation, *operands)
    if operation in _FUNCTIONS:
        return _call(operation, operands)
    texts = [operand.text for operand in operands]
    if operation == "items":
        return _Part(f"[{', '.join(texts)}]", ATOM)
    if operation == "index":
        place = texts[1] if texts[1].removeprefix("-").isdecimal() else f"whole({texts[1]})"
        return _Part(f"{texts[0]}[{place}]", ATOM)
    if operation == "negate":
        return _Part(f"-{_within(operands[0], SIGN)}", SIGN, operands[0].exact)
    base, exponent = operands
    return _Part(f"{_exact(base)} ** {_within(exponent, SIGN)}", POWER, exact=True)


def _binary(operation: str, left: _Part, right: _Part) -> _Part:
    symbol, binding = BINARY[operation]
    first = _within(left, binding)
    if operation == "divide" and not left.exact:
        first = _exact(left)
    exact = operation == "divide" or (operation != "floor_divide" and (left.exact or right.exact))
    return _Part(f"{first} {symbol} {_within(right, binding + 1)}", binding, exact)


def _exact(part: _Part) -> str:
    """The text of a part whose value is a `Fraction` and which binds most tightly."""
    return _within(part, ATOM) if part.exact else f"Fraction({part.text})"


def _call(operation: str, operands: Sequence[_Part]) -> _Part:
    arguments = ", ".join(operand.text for operand in operands)
    if operation == "total" and len(operands) > 1:
        arguments = f"({arguments})"
    return _Part(f"{_FUNCTIONS[operation]}({arguments})", ATOM)


def _within(part: _Part, binding: int) -> str:
    return part.text if part.binding >= binding else f"({part.text})"
