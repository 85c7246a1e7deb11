"""What the command line shows people: plain tables and lines. Programs use `--json` instead."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Answer:
    """What a command has to say.

    Attributes:
        data: All of it, for programs.
        columns: Names of the columns of `rows`.
        rows: A table for people.
        facts: Names and values for people.
        lines: Sentences for people.
        good: Whether nothing was found.
    """

    data: object
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    facts: dict[str, object] = field(default_factory=dict)
    lines: Sequence[str] = ()
    good: bool = True


def show(answer: Answer) -> None:
    """Print an answer for people."""
    console = Console(highlight=False, markup=False)
    if answer.columns:
        table = Table(*answer.columns, box=None, pad_edge=False, header_style="bold")
        for row in answer.rows:
            table.add_row(*(Text(_cell(value)) for value in row))
        console.print(table)
    width = max(map(len, answer.facts), default=0)
    for name, value in answer.facts.items():
        console.print(Text(f"{name:{width}}  {_cell(value)}"), soft_wrap=True)
    for line in answer.lines:
        console.print(Text(line), soft_wrap=True)


def size(size_bytes: int) -> str:
    """A number of bytes as people read it."""
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 100_000 else f"{size_bytes / 1e3:.1f} kB"


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{key}={entry}" for key, entry in value.items()) or "-"
    return str(value)
