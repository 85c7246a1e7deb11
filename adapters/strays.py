"""What lies in the directory of an adapter and was not put there by this package. Opens no file."""

import re
from pathlib import Path

from adapters.layout import NUMBER, Home

DIRECTORIES = {"versions", "evaluations", "holds", "staging", "quarantine"}
FILES = {"lock", "state.json", "history.jsonl"}
EVALUATIONS = re.compile(rf"{NUMBER.pattern}\.jsonl")
HOLD = re.compile(rf"{NUMBER.pattern}-[0-9a-f]{{32}}")


def find(home: Home) -> list[Path]:
    """Every stray, in order; the caller has the lock of the adapter.

    A file that replaces another is one while it is written, and stays one if its writer dies.
    """
    numbers = {str(number) for number in home.numbers_on_disk()}
    evaluations = home.path / "evaluations"
    return [
        *(path for path in _inside(home.path) if not _is_ours(path)),
        *(path for path in _inside(home.versions) if path.name not in numbers),
        *(path for path in _inside(evaluations) if not EVALUATIONS.fullmatch(path.name)),
        *(path for path in _inside(home.holds) if not HOLD.fullmatch(path.name)),
    ]


def _inside(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []


def _is_ours(path: Path) -> bool:
    return path.name in FILES or (path.name in DIRECTORIES and path.is_dir())
