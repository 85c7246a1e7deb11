"""A program from Python text, which is read with `ast` and never executed."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from pseudocode.errors import Code, ParseError
from pseudocode.formatter import format_program
from pseudocode.grammar import grammar_text
from pseudocode.limits import DEFAULT_LIMITS, Limits
from pseudocode.parser import check_length, parse
from pseudocode.program import Kind, Line, Program
from pseudocode.python_expressions import Unsupported, code_of
from pseudocode.python_names import from_python_name

_HELPERS = frozenset({"count", "whole"})
_MODULES = frozenset({"fractions", "math"})


class _Source(NamedTuple):
    """What statements are read from: the text's lines in UTF-8, and the units in its comments."""

    rows: Sequence[bytes]
    units: Mapping[int, str]

    def line(self, kind: Kind, name: str, expression: ast.expr | None, node: ast.stmt) -> Line:
        code = code_of(expression, self.rows) if expression else ()
        unit = self.units.get(node.end_lineno or 0) if kind in _WITH_UNIT else None
        return Line(node.lineno, name, code, "", kind, unit)


_WITH_UNIT = frozenset({"step", "return", "append"})
# What a statement turns into: rows, and statements that are read in their turn.
_Part = Line | ast.stmt | tuple[Kind, ast.If]


def from_python(text: str, limits: Limits = DEFAULT_LIMITS) -> Program:
    """Read a Python function, or a script that ends in its answer, as a program.

    Assignments, `if`, `while`, `for ... in`, `range` that only counts, lists and the functions of
    the dialect are known. Comments that are short enough become units.

    Raises:
        ParseError: The text is not Python, or has something that the dialect has no form for, or
            goes beyond a limit.
    """
    check_length(text, limits.max_source_bytes)
    try:
        statements = _statements(ast.parse(text))
        rows = text.encode().splitlines()
        lines = _lines(statements, _Source(rows, _units(text)))
    except Unsupported as error:
        raise ParseError(
            Code.NOT_CONVERTIBLE,
            f"The Python text has {error.what}, which the dialect has no form for; expected "
            "assignments, if, while, for, lists, arithmetic and a return. Write it with those.",
            error.line,
        ) from error
    # `ast` refuses what nests too deep, NUL characters and bad indentation each in its own way.
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ParseError(
            Code.SYNTAX,
            f"The text is not Python ({type(error).__name__}); expected a function or a script. "
            "See whether Python runs it.",
            getattr(error, "lineno", None),
        ) from error
    return parse(format_program(Program(tuple(lines))), limits)


def _units(text: str) -> dict[int, str]:
    unit = _unit_pattern()
    return {
        token.start[0]: token.string[1:].strip()
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and unit.fullmatch(token.string)
    }


@cache
def _unit_pattern() -> re.Pattern[str]:
    (pattern,) = re.findall("^UNIT: /(.*)/$", grammar_text(), re.MULTILINE)
    return re.compile(pattern)


def _statements(module: ast.Module) -> Sequence[ast.stmt]:
    """The statements of the one function, or of a script with its answer as a return."""
    body = [node for node in module.body if not _is_preamble(node)]
    if len(body) == 1 and isinstance(body[0], ast.FunctionDef):
        function = body[0]
        if function.args.args or function.decorator_list:
            raise Unsupported("a function with parameters or decorators", function)
        return [node for node in function.body if not _is_docstring(node)]
    if not body or isinstance(body[-1], ast.Return):
        return body
    last = body[-1]
    answer = _answer(last)
    if answer is None:
        raise Unsupported("no answer at its end", last)
    ending = ast.copy_location(ast.Return(answer), last)
    return [*(body if isinstance(last, ast.Assign) else body[:-1]), ending]


def _is_preamble(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import):
        return all(name.name in _MODULES for name in node.names)
    if isinstance(node, ast.ImportFrom):
        return node.module in _MODULES
    return _is_docstring(node) or (isinstance(node, ast.FunctionDef) and node.name in _HELPERS)


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _answer(last: ast.stmt) -> ast.expr | None:
    """What a script's last statement prints, shows or gives a name to."""
    if isinstance(last, ast.Expr):
        value = last.value
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            printed = value.func.id == "print" and len(value.args) == 1 and not value.keywords
            return value.args[0] if printed else value
        return value
    if isinstance(last, ast.Assign) and isinstance(last.targets[0], ast.Name):
        return last.targets[0]
    return None


def _lines(statements: Sequence[ast.stmt], source: _Source) -> list[Line]:
    lines: list[Line] = []
    waiting: list[_Part] = list(reversed(statements))
    while waiting:
        part = waiting.pop()
        if isinstance(part, Line):
            lines.append(part)
            continue
        if isinstance(part, tuple):
            parts = _condition(part[1], source, part[0])
        else:
            read = _READERS.get(type(part))
            if read is None:
                raise Unsupported(f"a statement `{type(part).__name__}`", part)
            parts = read(part, source)
        waiting.extend(reversed(parts))
    return lines


def _assign(node: ast.Assign, source: _Source) -> list[_Part]:
    (target,) = node.targets if len(node.targets) == 1 else (None,)
    if not isinstance(target, ast.Name):
        raise Unsupported("an assignment to something that is no name", node)
    name = from_python_name(target.id)
    longer = _appended(node.value, target.id)
    if longer is not None:
        return [source.line("append", name, longer, node)]
    return [source.line("step", name, node.value, node)]


def _appended(value: ast.expr, name: str) -> ast.expr | None:
    """The item that `[*name, item]` puts at the end."""
    if not isinstance(value, ast.List) or len(value.elts) != 2:
        return None
    first, item = value.elts
    if isinstance(first, ast.Starred) and isinstance(first.value, ast.Name):
        return item if first.value.id == name else None
    return None


def _annotated(node: ast.AnnAssign, source: _Source) -> list[_Part]:
    if node.value is None:
        return []
    return _assign(ast.copy_location(ast.Assign([node.target], node.value), node), source)


def _augmented(node: ast.AugAssign, source: _Source) -> list[_Part]:
    if not isinstance(node.target, ast.Name):
        raise Unsupported("an assignment to something that is no name", node)
    name = ast.copy_location(ast.Name(node.target.id), node)
    value = ast.copy_location(ast.BinOp(name, node.op, node.value), node)
    return [source.line("step", from_python_name(node.target.id), value, node)]


def _return(node: ast.Return, source: _Source) -> list[_Part]:
    if node.value is None:
        raise Unsupported("a return of nothing", node)
    return [source.line("return", "return", node.value, node)]


def _expression(node: ast.Expr, source: _Source) -> list[_Part]:
    call = node.value
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and len(call.args) == 1:
        owner = call.func.value
        if call.func.attr == "append" and isinstance(owner, ast.Name):
            return [source.line("append", from_python_name(owner.id), call.args[0], node)]
    raise Unsupported("an expression whose value is not used", node)


def _condition(node: ast.If, source: _Source, kind: Kind = "if") -> list[_Part]:
    parts: list[_Part] = [source.line(kind, kind, node.test, node), *node.body]
    ending = [source.line("end", "end", None, node)]
    if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        # The last of a chain closes it.
        return [*parts, ("else if", node.orelse[0])]
    if node.orelse:
        parts += [source.line("else", "else", None, node), *node.orelse]
    return [*parts, *ending]


def _while(node: ast.While, source: _Source) -> list[_Part]:
    return _loop(source.line("while", "while", node.test, node), node, source)


def _for(node: ast.For, source: _Source) -> list[_Part]:
    if not isinstance(node.target, ast.Name):
        raise Unsupported("a loop over more than one name", node)
    counted = node.iter
    if isinstance(counted, ast.Call) and isinstance(counted.func, ast.Name):
        if counted.func.id != "range" or len(counted.args) != 1 or node.target.id != "_":
            raise Unsupported("a loop over anything but a list, or `_` in range(n)", node)
        return _loop(source.line("repeat", "repeat", counted.args[0], node), node, source)
    name = from_python_name(node.target.id)
    return _loop(source.line("for each", name, counted, node), node, source)


def _loop(head: Line, node: ast.For | ast.While, source: _Source) -> list[_Part]:
    if node.orelse:
        raise Unsupported("a loop with else", node)
    return [head, *node.body, source.line("end", "end", None, node)]


_READERS: Mapping[type[ast.AST], Callable[..., list[_Part]]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Return: _return,
    ast.Expr: _expression,
    ast.If: _condition,
    ast.While: _while,
    ast.For: _for,
}
