"""How operators of two operands are written and how tightly they bind, in the dialect as in Python."""

from collections.abc import Mapping

COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)

BINARY: Mapping[str, tuple[str, int]] = {
    "less": ("<", COMPARISON),
    "at_most": ("<=", COMPARISON),
    "greater": (">", COMPARISON),
    "at_least": (">=", COMPARISON),
    "equal": ("==", COMPARISON),
    "unequal": ("!=", COMPARISON),
    "add": ("+", SUM),
    "subtract": ("-", SUM),
    "multiply": ("*", PRODUCT),
    "divide": ("/", PRODUCT),
    "floor_divide": ("//", PRODUCT),
    "modulo": ("%", PRODUCT),
}
COMPARISONS = frozenset(name for name, (_, binding) in BINARY.items() if binding == COMPARISON)
