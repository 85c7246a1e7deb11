"""Codes are stable, explained, and exactly those that the code gives."""

import ast
import re
from pathlib import Path

from tests.training.page_tables import PAGE, render
from training.codes import CODES, GRAVITIES, Problem

ROOT = Path(__file__).parents[2]


def _strings_in(folder: Path) -> set[str]:
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        if path.name == "codes.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_code_is_given_somewhere() -> None:
    there = _strings_in(ROOT / "training") | {"empty_prompt", "empty_output", "unreadable"}
    assert set(CODES) - there - {"empty_rejected", "no_preference"} == set()


def test_every_code_is_well_formed_and_explained() -> None:
    for name, code in CODES.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]+", name)
        assert code.gravity in GRAVITIES
        assert code.meaning
        assert code.remedy


def test_an_unknown_code_counts_as_a_mistake() -> None:
    assert Problem(1, "of_another_stage", "x").gravity == "mend"


def test_the_page_holds_the_tables_of_today() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == render(page), "run: PYTHONPATH=. python tests/training/page_tables.py"
