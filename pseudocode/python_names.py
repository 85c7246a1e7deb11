"""Names in Python: those that Python or the converted text keeps for itself get a `_` at the end."""

import builtins
import keyword

_KEPT = frozenset(
    {*keyword.kwlist, *dir(builtins), "Fraction", "count", "math", "solution", "whole"}
)


def to_python_name(name: str) -> str:
    """Return the name that Python takes instead; different names stay different."""
    return f"{name}_" if _is_kept(name) else name


def from_python_name(name: str) -> str:
    """Return the name that `to_python_name` gets this one from, or the name itself."""
    return name[:-1] if name.endswith("_") and name != "_" and _is_kept(name) else name


def _is_kept(name: str) -> bool:
    # Loops that only repeat count with `_`.
    return not name.strip("_") or name.rstrip("_") in _KEPT
