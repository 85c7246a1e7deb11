"""The small text language of templates: slots in braces, choices in brackets.

`{name} [buys|picks up] {a} {fruit}` has three slots and one choice; choices nest, and one option
of a choice may be empty. A slot may ask for a form of its word: `{fruit.one}`. This module knows
nothing of what fills a slot.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_PIECE = re.compile(r"\{[^{}]*\}|[\[\]|]|[^\[\]{}|]+|.", re.DOTALL)
_SLOT = re.compile(r"\{([a-z_]+[0-9]?)(?:\.([a-z]+))?\}")


@dataclass(frozen=True)
class Slot:
    """A place for a number or a word; `form` is `None` for the plain form."""

    name: str
    form: str | None = None

    def __str__(self) -> str:
        """Write the slot as a template does."""
        return f"{{{self.name}.{self.form}}}" if self.form else f"{{{self.name}}}"


@dataclass(frozen=True)
class Choice:
    """Options of which a rendering takes one."""

    options: tuple["Wording", ...]


@dataclass(frozen=True)
class Wording:
    """A parsed text: literal strings, slots and choices in reading order."""

    parts: tuple[str | Slot | Choice, ...]

    def slots(self) -> Iterator[Slot]:
        """Yield every slot of every option, in reading order, repeats included."""
        for part in self.parts:
            if isinstance(part, Slot):
                yield part
            elif isinstance(part, Choice):
                for option in part.options:
                    yield from option.slots()

    def literals(self) -> Iterator[str]:
        """Yield the text between slots, of every option."""
        for part in self.parts:
            if isinstance(part, str):
                yield part
            elif isinstance(part, Choice):
                for option in part.options:
                    yield from option.literals()

    def render(self, rng: random.Random, fill: Callable[[Slot], str]) -> str:
        """Take one option of every choice and fill every slot."""
        return "".join(
            part
            if isinstance(part, str)
            else fill(part)
            if isinstance(part, Slot)
            else rng.choice(part.options).render(rng, fill)
            for part in self.parts
        )


def parse(text: str) -> Wording:
    """Read a text with slots and choices.

    Raises:
        ValueError: A bracket or brace has no partner, or a slot is misspelt.
    """
    pieces = _PIECE.findall(" ".join(text.split()))
    options, position = _options(pieces, 0)
    if position < len(pieces):
        raise ValueError(f"{text!r}: a ']' without its '['; brackets must pair up")
    if len(options) > 1:
        raise ValueError(f"{text!r}: a '|' outside brackets; write [this|that]")
    return options[0]


def parse_lines(text: str) -> Wording:
    """Read a program: line by line, with slots and without choices.

    Raises:
        ValueError: A slot is misspelt, or a choice occurs.
    """
    parts: list[str | Slot] = []
    for piece in _PIECE.findall(text.strip()):
        if piece in "[]|":
            raise ValueError(f"{text!r}: {piece!r} in a program; choices belong in the text")
        parts.append(_slot(piece) if piece[0] in "{}" else piece)
    return Wording(tuple(parts))


def _options(pieces: list[str], position: int) -> tuple[list[Wording], int]:
    """Read options up to the closing bracket or the end; return them and where reading stopped."""
    options: list[Wording] = []
    parts: list[str | Slot | Choice] = []
    while position < len(pieces) and pieces[position] != "]":
        piece = pieces[position]
        if piece == "[":
            inner, position = _options(pieces, position + 1)
            if position == len(pieces):
                raise ValueError("a '[' without its ']'; brackets must pair up")
            parts.append(Choice(tuple(inner)))
        elif piece == "|":
            options.append(Wording(tuple(parts)))
            parts = []
        else:
            parts.append(_slot(piece) if piece[0] in "{}" else piece)
        position += 1
    options.append(Wording(tuple(parts)))
    return options, position


def _slot(piece: str) -> Slot:
    match = _SLOT.fullmatch(piece)
    if match is None:
        raise ValueError(f"{piece!r} is no slot; expected {{name}}, {{name2}} or {{name.form}}")
    return Slot(match[1], match[2])
