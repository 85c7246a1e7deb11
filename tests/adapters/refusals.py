"""What is said about each hostile adapter, word for word, so that a change of wording is seen.

    python -m tests.adapters.refusals > tests/adapters/refusals.json

writes it anew; read the difference before it is committed.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

from adapters import gate
from adapters.findings import Finding
from tests.adapters.hostile import CASES
from tests.adapters.making import make_adapter, make_base

RECORDED = Path(__file__).with_suffix(".json")


def said(found: list[Finding]) -> list[str]:
    """The findings as people see them, without the names of directories that are gone tomorrow."""
    return [re.sub(r"'/[^']*'(\.\.\.)?", "PLACE", str(finding)) for finding in found]


def everything(place: Path) -> dict[str, list[str]]:
    """What is said about each case, made in `place`."""
    adapter = make_adapter(make_base(place / "tiny-llama"))
    answers = {}
    for case in CASES:
        directory = adapter.write(place / case.name / "hostile")
        case.spoil(directory, adapter)
        answers[case.name] = said(gate.check(directory, adapter.base))
    return answers


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        json.dump(everything(Path(name)), sys.stdout, indent=1)
        sys.stdout.write("\n")
