"""Units that comments give to values, carried through a program's arithmetic.

A unit is unknown where no comment says it: literals have none, and nothing is said about them.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pseudocode.flow import flow_of
from pseudocode.program import Apply, Line, Name, Number, Program

# Powers of the words it is made of, in the order of the words: km/h is (("h", -1), ("km", 1)).
Unit = tuple[tuple[str, int], ...]

_PER = re.compile(r"\s*/\s*|\s+per\s+|每")
_POWERS = {"²": 2, "³": 3}
_ALIKE = frozenset(
    {
        "add",
        "subtract",
        "minimum",
        "maximum",
        "total",
        "items",
        "less",
        "at_most",
        "greater",
        "at_least",
        "equal",
        "unequal",
    }
)
_COMPARISONS = frozenset({"less", "at_most", "greater", "at_least", "equal", "unequal"})
_KEPT = frozenset({"negate", "absolute", "round_half_even", "round_down", "round_up", "modulo"})


class Mismatch(NamedTuple):
    """A line whose units do not go together, and what it does with them."""

    line: Line
    what: str


def parse_unit(text: str) -> Unit:
    """Read a unit: words with `/`, `per` or `每` between, `*` and powers; plurals are singular."""
    powers: Counter[str] = Counter()
    for place, part in enumerate(_PER.split(text.lower())):
        for word in part.split("*"):
            base, power = _power_of(word.strip())
            powers[_singular(base)] += power if place == 0 else -power
    return _unit(powers)


def _power_of(word: str) -> tuple[str, int]:
    base, mark, exponent = word.partition("^")
    if mark and re.fullmatch(r"-?[0-9]", exponent, re.ASCII):
        return base.strip(), int(exponent)
    return word.rstrip("²³"), _POWERS.get(word[-1:], 1)


def _singular(word: str) -> str:
    if not word.isascii() or len(word) <= 3 or word.endswith("ss"):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("xes", "ches", "shes", "sses", "zes")):
        return word[:-2]
    return word.removesuffix("s")


def _unit(powers: Mapping[str, int]) -> Unit:
    return tuple(sorted((word, power) for word, power in powers.items() if word and power))


def format_unit(unit: Unit) -> str:
    """Write a unit for people."""
    above = [f"{word}^{power}" if power > 1 else word for word, power in unit if power > 0]
    below = [f"{word}^{-power}" if power < -1 else word for word, power in unit if power < 0]
    return "/".join(["*".join(above) or "1", *below]) if unit else "a plain number"


def mismatches(program: Program) -> Iterator[Mismatch]:
    """Find the lines that add, compare or divide values of unlike units, or say another unit.

    Dividing by another unit is right where the line says what comes out of it, as `# km/h` does.
    """
    known: dict[str, Unit | None] = {}
    depth = flow_of(program.lines).depth
    for line, blocks in zip(program.lines, depth, strict=True):
        reckoning = _Reckoning(known)
        computed = reckoning.unit_of(line)
        stated = parse_unit(line.unit) if line.unit else None
        what = reckoning.fault(computed, stated)
        if what:
            yield Mismatch(line, what)
        unit = stated if stated is not None else computed
        # What one branch says need not hold after it.
        known[line.name] = None if blocks and known.get(line.name, unit) != unit else unit


@dataclass(slots=True)
class _Reckoning:
    """One line's units, and what is wrong with them."""

    known: Mapping[str, Unit | None]
    faults: list[str] = field(default_factory=list)
    divisions: list[str] = field(default_factory=list)

    def fault(self, computed: Unit | None, stated: Unit | None) -> str | None:
        """What is wrong with a line that computes one unit and says another, if anything is."""
        if self.faults:
            return self.faults[0]
        if computed is not None and stated is not None and computed != stated:
            return f"says {format_unit(stated)} and computes {format_unit(computed)}"
        return self.divisions[0] if self.divisions and stated is None else None

    def unit_of(self, line: Line) -> Unit | None:
        stack: list[Unit | None] = []
        for place, instruction in enumerate(line.code):
            if isinstance(instruction, Apply):
                operands = stack[len(stack) - instruction.arity :]
                del stack[len(stack) - instruction.arity :]
                exponent = line.code[place - 1]
                power = exponent.value if isinstance(exponent, Number) else None
                if instruction.operation == "raise_to":
                    whole = power is not None and power.denominator == 1
                    stack.append(_raised(operands[0], int(power or 0) if whole else None))
                else:
                    stack.append(self._apply(instruction.operation, operands))
            else:
                stack.append(
                    self.known.get(instruction.name) if isinstance(instruction, Name) else None
                )
        unit = stack.pop() if stack else None
        if line.kind == "append":
            return self._alike([self.known.get(line.name), unit])
        return unit

    def _apply(self, operation: str, operands: Sequence[Unit | None]) -> Unit | None:
        if operation in _ALIKE:
            unit = self._alike(operands)
            return None if operation in _COMPARISONS else unit
        if operation in _KEPT or operation == "index":
            return operands[0]
        if operation == "multiply":
            return _product(*operands, sign=1)
        if operation in ("divide", "floor_divide"):
            return self._quotient(*operands)
        return None

    def _alike(self, operands: Sequence[Unit | None]) -> Unit | None:
        units = [unit for unit in operands if unit is not None]
        other = next((unit for unit in units if unit != units[0]), None)
        if other is not None:
            self.faults.append(f"puts {format_unit(units[0])} and {format_unit(other)} together")
        return units[0] if units else None

    def _quotient(self, left: Unit | None, right: Unit | None) -> Unit | None:
        if left and right and left != right:
            self.divisions.append(f"divides {format_unit(left)} by {format_unit(right)}")
        return _product(left, right, sign=-1)


def _product(left: Unit | None, right: Unit | None, *, sign: int) -> Unit | None:
    if left is None or right is None:
        return None
    powers = Counter(dict(left))
    for word, power in right:
        powers[word] += sign * power
    unit = _unit(powers)
    return unit if len(unit) <= _MAX_WORDS else None


# No unit has more words or a higher power; ever longer ones would be slow.
_MAX_WORDS = 9
_MAX_POWER = 9


def _raised(base: Unit | None, exponent: int | None) -> Unit | None:
    if base is None or exponent is None or abs(exponent) > _MAX_POWER:
        return None
    return _unit({word: power * exponent for word, power in base})
