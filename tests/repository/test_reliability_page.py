"""The tests that `docs/reliability.md` names exist, and every fault of the list has a row."""

import ast
import re

import pytest

from tests.repository.annotated_tree import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert name in {node.name for node in tree.body if isinstance(node, functions)}


def test_every_fault_has_a_row() -> None:
    assert {f"F{number}" for number in range(1, 20)} <= set(re.findall(r"^\| (F\d+) ", PAGE, re.M))
    assert len(NAMED) > 30
