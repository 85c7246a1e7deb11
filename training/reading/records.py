"""What every reader gives: records in file order, each with the line it starts at."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from training.codes import Problem


@dataclass
class Records:
    """The content of a file before anybody asks for prompts.

    Attributes:
        format: csv, jsonl, json, parquet or text.
        items: Line and record, or what is wrong there.
        names: Names of the columns, where the file says them once.
        names_line: Where it does.
        problems: What is to be said about the file as a whole.
    """

    format: str
    items: list[tuple[int, Mapping[str, object] | Problem]] = field(default_factory=list)
    names: list[str] | None = None
    names_line: int = 1
    problems: list[Problem] = field(default_factory=list)
