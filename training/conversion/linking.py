"""Which number of a calculation is an earlier result, and which steps reach the answer.

Published solutions write values everywhere (`48/2=24`, then `48+24=72`). A program must say which
24 it means, or changing the 48 of the question would not change the answer.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from fractions import Fraction

from training.conversion.arithmetic import evaluated, is_number, without_outer_parentheses
from training.conversion.candidates import Solution


@dataclass
class Step:
    """A calculation whose numbers that come from earlier steps are replaced by their positions.

    Attributes:
        parts: Tokens, and positions of earlier steps in their stead.
    """

    parts: list[str | int]
    value: Fraction
    label: str
    used: bool = field(default=False)


def linked(solutions: Sequence[Solution], given: Set[Fraction]) -> list[Step]:
    """Replace numbers by earlier results; calculations that only repeat an earlier one disappear.

    A number that equals a result nothing has used yet is that result, since a solution computes
    what it needs next. Otherwise a number the question gives is the question's, and only then may
    it be a result that was used before.
    """
    steps: list[Step] = []
    places: list[int] = []
    for solution in solutions:
        parts: list[str | int] = []
        for part in solution.parts:
            if isinstance(part, int):
                parts.append(places[part])
            else:
                source = _source(part, steps, given) if is_number(part) else None
                parts.append(part if source is None else source)
            if isinstance(parts[-1], int):
                steps[parts[-1]].used = True
        places.append(_place(parts, steps))
        if places[-1] == len(steps):
            steps.append(Step(parts, solution.value, solution.label))
    return steps


def _place(parts: list[str | int], steps: Sequence[Step]) -> int:
    """Return where a calculation stands already, or else the next place."""
    if len(parts) == 1 and isinstance(parts[0], int):
        return parts[0]
    same = (at for at, step in enumerate(steps) if step.parts == parts)
    return next(same, len(steps))


def reaching(steps: Sequence[Step], gold: Fraction) -> list[Step] | None:
    """Return the steps the answer needs, the last one giving it, or None where no step does."""
    last = next((at for at in reversed(range(len(steps))) if steps[at].value == gold), None)
    if last is None:
        return None
    needed = {last}
    for at in reversed(range(last + 1)):
        if at in needed:
            needed |= {part for part in steps[at].parts if isinstance(part, int)}
    places = {at: place for place, at in enumerate(sorted(needed))}
    return [
        Step(
            [places[part] if isinstance(part, int) else part for part in steps[at].parts],
            steps[at].value,
            steps[at].label,
        )
        for at in sorted(needed)
    ]


def split_at_parentheses(tokens: Sequence[str]) -> list[list[str | int]]:
    """Return one nested expression as steps: what stands in parentheses comes first.

    `(83*50-118)/(50-2)` becomes `83*50-118`, `50-2` and `0/1`, numbers of steps for the last line's
    operands. A fraction of two literals, `(1/5)`, stays where it is: it is a number of the question.
    """
    steps: list[list[str | int]] = []
    open_groups: list[list[str | int]] = [[]]
    for part in without_outer_parentheses(tokens):
        if part == "(":
            open_groups.append([])
        elif part == ")":
            group = open_groups.pop()
            if _is_fraction(group):
                open_groups[-1] += ["(", *group, ")"]
            elif len(group) == 1:
                open_groups[-1] += group
            else:
                steps.append(group)
                open_groups[-1].append(len(steps) - 1)
        else:
            open_groups[-1].append(part)
    steps.append(open_groups.pop())
    return steps


def values_of(steps: Sequence[Sequence[str | int]]) -> list[Fraction]:
    """Return the exact value of each step.

    Raises:
        ValueError: A step has no value.
    """
    expanded: list[list[str]] = []
    values = []
    for parts in steps:
        tokens: list[str] = []
        for part in parts:
            tokens += ["(", *expanded[part], ")"] if isinstance(part, int) else [part]
        value = evaluated(tokens)
        if value is None:
            raise ValueError(f"{' '.join(tokens)} has no value")
        expanded.append(tokens)
        values.append(value)
    return values


def _source(token: str, steps: Sequence[Step], given: Set[Fraction]) -> int | None:
    value = Fraction(token)
    places = [at for at, step in enumerate(steps) if step.value == value]
    unused = [at for at in places if not steps[at].used]
    if unused:
        return unused[-1]
    return places[-1] if places and value not in given else None


def _is_fraction(group: Sequence[str | int]) -> bool:
    return (
        len(group) == 3
        and group[1] == "/"
        and all(isinstance(part, str) and is_number(part) for part in (group[0], group[2]))
    )
