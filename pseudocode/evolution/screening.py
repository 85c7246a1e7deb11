"""Which Python programs may be run in confinement: small, pure functions over plain values.

The first of two walls; the second is the process that runs them (`confinement`). Also refused is
what would hide work from the count of instructions, such as `sorted` or `list.index`.
"""

import ast
from collections.abc import Iterator

MAX_SOURCE_CHARACTERS = 8000
BUILTINS = frozenset(
    [
        "abs",
        "bool",
        "dict",
        "divmod",
        "enumerate",
        "float",
        "int",
        "iter",
        "len",
        "list",
        "max",
        "min",
        "next",
        "range",
        "reversed",
        "round",
        "set",
        "sum",
        "str",
        "tuple",
        "zip",
        "True",
        "False",
        "None",
    ]
)
METHODS = frozenset(
    [
        "add",
        "append",
        "bit_length",
        "clear",
        "copy",
        "count",
        "discard",
        "extend",
        "get",
        "insert",
        "items",
        "keys",
        "pop",
        "popleft",
        "remove",
        "setdefault",
        "update",
        "values",
    ]
)
# Names that annotations may use; nothing is behind them.
ANNOTATIONS = frozenset({"Operations", "object"})
_FORBIDDEN: dict[type[ast.AST], str] = {
    ast.Import: "an import",
    ast.ImportFrom: "an import",
    ast.ClassDef: "a class",
    ast.AsyncFunctionDef: "an async function",
    ast.Await: "await",
    ast.Try: "try, which could hide that a limit was reached",
    ast.TryStar: "try, which could hide that a limit was reached",
    ast.With: "with",
    ast.AsyncWith: "with",
    ast.AsyncFor: "async for",
    # A class pattern reads any attribute by name.
    ast.Match: "match",
    ast.Global: "global",
    ast.Raise: "raise",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
}


def screen(source: str, entry: str) -> list[str]:
    """Say why a program may not be run; nothing if it may.

    Args:
        source: One or more function definitions.
        entry: The function that will be called.
    """
    if len(source) > MAX_SOURCE_CHARACTERS:
        return [f"it has {len(source)} characters, expected {MAX_SOURCE_CHARACTERS} at most"]
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [f"it is not Python: {error}"]
    found = list(dict.fromkeys(_faults(tree)))
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    if entry not in defined:
        found.append(f"it defines no function {entry!r}, only {', '.join(defined) or 'none'}")
    return found


def only_function(source: str) -> str | None:
    """The name of the last function at the top of a program, which is its entry by custom."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return names[-1] if names else None


def _faults(tree: ast.Module) -> Iterator[str]:
    bound = set(_bound(tree))
    for statement in tree.body:
        if not isinstance(statement, ast.FunctionDef):
            yield f"line {statement.lineno}: only functions are expected at the top"
    for node in ast.walk(tree):
        if reason := _FORBIDDEN.get(type(node)):
            yield f"line {getattr(node, 'lineno', 1)}: {reason} is not allowed"
        elif isinstance(node, ast.FunctionDef) and node.decorator_list:
            yield f"line {node.lineno}: a decorator is not allowed"
        elif isinstance(node, ast.Attribute) and node.attr not in METHODS:
            yield f"line {node.lineno}: .{node.attr} is not allowed"
        elif isinstance(node, ast.Name) and "__" in node.id:
            yield f"line {node.lineno}: {node.id} is not allowed"
        elif isinstance(node, ast.Name) and node.id not in bound | BUILTINS | ANNOTATIONS:
            yield f"line {node.lineno}: {node.id} is neither defined nor allowed"


def _bound(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
