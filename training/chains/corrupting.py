"""Right chains → chains with one small mistake of a known kind, for preference training.

Every corruption is verified: the checker of `reasoning` finds fault with it, or a step is gone whose
result is used.
"""

import random
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple, TypeVar

from reasoning import check

T = TypeVar("T")
Kind = Literal["operator", "number", "order", "missing_step", "conclusion"]

_CONCLUSION = re.compile(r"(?im)^(?P<head>.*?(?:answer|答案|答)\s*[:：]\s*)(?P<value>[\d.,/]+)")
_OPERATION = re.compile(r"(?<=\d)\s*([-+*×/÷])\s*(?=\d)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_OTHER = {"+": "-", "-": "+", "*": "+", "×": "+", "/": "*", "÷": "×"}


class Corruption(NamedTuple):
    """A spoiled chain, and what was done to it."""

    kind: Kind
    text: str


def corruptions(text: str, seed: int) -> list[Corruption]:
    """Return at most one corruption of each kind that can be made of a chain.

    Args:
        text: A consistent chain.
        seed: The same seed, the same corruptions.

    Raises:
        ValueError: The chain is not consistent, so its corruptions would prefer one mistake to
            another.
    """
    right = check(text, check(text).answer)
    if not right.consistent:
        raise ValueError("the chain is wrong or has no conclusion; only right ones can be spoiled")
    draw = random.Random(seed)  # noqa: S311  # data, not secrets
    found = []
    for kind, change in _CHANGES.items():
        for spoiled in change(text, draw):
            report = check(spoiled, right.answer)
            if spoiled != text and not (report.consistent and kind != "missing_step"):
                found.append(Corruption(kind, spoiled))
                break
    return found


def _operator(text: str, draw: random.Random) -> Iterator[str]:
    """Another operator, with the old result."""
    for found in _shuffled(_OPERATION.finditer(text), draw):
        start, end = found.span(1)
        yield text[:start] + _OTHER[found[1]] + text[end:]


def _number(text: str, draw: random.Random) -> Iterator[str]:
    """A result a little off."""
    for step in _shuffled((step for step in check(text).steps if step.stated), draw):
        value = _NUMBER.search(text, step.start)
        if value is not None and value.end() <= step.end:
            off = str(int(float(value[0])) + draw.choice((-2, -1, 1, 2, 10)))
            yield text[: value.start()] + off.lstrip("-") + text[value.end() :]


def _order(text: str, draw: random.Random) -> Iterator[str]:
    """The operands of a difference or a quotient the wrong way round."""
    pairs = re.finditer(r"(\d+(?:\.\d+)?)(\s*[-/÷]\s*)(\d+(?:\.\d+)?)", text)
    for found in _shuffled(pairs, draw):
        turned = f"{found[3]}{found[2]}{found[1]}"
        yield text[: found.start()] + turned + text[found.end() :]


def _missing_step(text: str, draw: random.Random) -> Iterator[str]:
    """A step left out whose result a later one uses."""
    lines = text.split("\n")
    for gone in _shuffled(range(len(lines) - 1), draw):
        values = {step.stated for step in check(f"{lines[gone]}\n").calculations}
        later = set(_NUMBER.findall("\n".join(lines[gone + 1 : -1])))
        if values & later:
            yield "\n".join(line for at, line in enumerate(lines) if at != gone)


def _conclusion(text: str, draw: random.Random) -> Iterator[str]:
    """A value on the way taken for the answer, or one that is near."""
    conclusions = list(_CONCLUSION.finditer(text))
    if not conclusions:
        return
    last = conclusions[-1]
    on_the_way = [step.stated for step in check(text).calculations if step.stated != last["value"]]
    for value in _shuffled(on_the_way, draw):
        yield text[: last.start("value")] + str(value) + text[last.end("value") :]
    if last["value"].isdecimal():
        near = int(last["value"]) + draw.choice((1, 2, 5, 10))
        yield text[: last.start("value")] + str(near) + text[last.end("value") :]


def _shuffled(items: Iterable[T], draw: random.Random) -> list[T]:
    listed = list(items)
    draw.shuffle(listed)
    return listed


_CHANGES: dict[Kind, Callable[[str, random.Random], Iterator[str]]] = {
    "operator": _operator,
    "number": _number,
    "order": _order,
    "missing_step": _missing_step,
    "conclusion": _conclusion,
}
