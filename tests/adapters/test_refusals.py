"""What is said about each hostile adapter is what was recorded and read."""

import json
from pathlib import Path

from tests.adapters.refusals import RECORDED, everything


def test_every_refusal_is_worded_as_recorded(tmp_path: Path) -> None:
    """`python -m tests.adapters.refusals > tests/adapters/refusals.json` records anew."""
    assert everything(tmp_path) == json.loads(RECORDED.read_text(encoding="utf-8"))
