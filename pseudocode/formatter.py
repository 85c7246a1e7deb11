"""One canonical text per program: the least parentheses, one space, two spaces of indentation."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pseudocode.flow import flow_of
from pseudocode.numbers import format_number
from pseudocode.operators import ATOM, BINARY, POWER, SIGN, SUM
from pseudocode.program import Apply, Instruction, Line, Name, Number, Program, Text
from pseudocode.words import FORMS, Language

# The grammar takes as much, and no more; deeper blocks stay there.
_MAX_INDENTS = 8
_FUNCTIONS: Mapping[str, str] = {
    "minimum": "min",
    "maximum": "max",
    "total": "sum",
    "absolute": "abs",
    "round_half_even": "round",
    "round_down": "floor",
    "round_up": "ceil",
    "length": "length",
}


class _Part(NamedTuple):
    """The pieces of an expression's text, and how tightly it binds."""

    pieces: deque[str]
    binding: int


def format_program(program: Program, language: Language = "en") -> str:
    """Write a program in its canonical form, with the words of one language.

    Parsing the text gives an equal program, unless it is longer than a source may be.
    """
    depth = flow_of(program.lines).depth
    lines = []
    for line, indents in zip(program.lines, depth, strict=True):
        unit = f" # {line.unit}" if line.unit else ""
        form = FORMS[line.kind][language]
        text = form.replace("{name}", line.name).replace("{}", _text(line), 1)
        lines.append(f"{'  ' * min(indents, _MAX_INDENTS)}{text}{unit}\n")
    return "".join(lines)


def _text(line: Line) -> str:
    if not line.code:
        return ""
    part = _part(line.code)
    return "".join(_within(part, SUM) if line.kind == "ask" else part.pieces)


def _part(code: Sequence[Instruction]) -> _Part:
    stack: list[_Part] = []
    for instruction in code:
        if isinstance(instruction, Apply):
            operands = stack[len(stack) - instruction.arity :]
            del stack[len(stack) - instruction.arity :]
            stack.append(_apply(instruction.operation, operands))
        else:
            stack.append(_Part(deque([_leaf(instruction)]), ATOM))
    return stack.pop()


def _leaf(instruction: Number | Text | Name) -> str:
    if isinstance(instruction, Name):
        return instruction.name
    if isinstance(instruction, Text):
        return f'"{instruction.value}"'
    if instruction.percent:
        return f"{format_number(instruction.value * 100)}%"
    return format_number(instruction.value)


def _apply(operation: str, operands: list[_Part]) -> _Part:
    if operation in BINARY:
        symbol, binding = BINARY[operation]
        # Comparisons do not chain, so both their sides bind more tightly.
        left = _within(operands[0], max(binding, SUM))
        return _Part(_joined(left, f" {symbol} ", _within(operands[1], binding + 1)), binding)
    if operation in _FUNCTIONS:
        return _Part(_listed(f"{_FUNCTIONS[operation]}(", operands, ")"), ATOM)
    return _SPECIAL[operation](operands)


def _joined(left: deque[str], between: str, right: deque[str]) -> deque[str]:
    left.append(between)
    left.extend(right)
    return left


def _within(part: _Part, binding: int) -> deque[str]:
    """The pieces of a part, in parentheses where its surroundings bind more tightly."""
    if part.binding < binding:
        part.pieces.appendleft("(")
        part.pieces.append(")")
    return part.pieces


def _listed(opening: str, operands: Sequence[_Part], closing: str) -> deque[str]:
    pieces = deque([opening])
    for number, operand in enumerate(operands):
        if number:
            pieces.append(", ")
        pieces.extend(operand.pieces)
    pieces.append(closing)
    return pieces


def _negate(operands: list[_Part]) -> _Part:
    pieces = _within(operands[0], SIGN)
    pieces.appendleft("-")
    return _Part(pieces, SIGN)


def _raise_to(operands: list[_Part]) -> _Part:
    base, exponent = operands
    return _Part(_joined(_within(base, ATOM), " ** ", _within(exponent, SIGN)), POWER)


def _index(operands: list[_Part]) -> _Part:
    return _Part(_joined(operands[0].pieces, "[", operands[1].pieces + deque("]")), ATOM)


def _table(operands: list[_Part]) -> _Part:
    entries = [
        _Part(_joined(_within(key, SUM), ": ", value.pieces), ATOM)
        for key, value in zip(operands[::2], operands[1::2], strict=True)
    ]
    return _Part(_listed("{", entries, "}"), ATOM)


_SPECIAL: Mapping[str, Callable[[list[_Part]], _Part]] = {
    "negate": _negate,
    "raise_to": _raise_to,
    "index": _index,
    "items": lambda operands: _Part(_listed("[", operands, "]"), ATOM),
    "table": _table,
}
