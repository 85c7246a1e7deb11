"""The rules that no linter knows: sizes, names, the annotated tree, light imports."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import model_table
from tests.repository.annotated_tree import BLOCK, README, ROOT, render, tracked

PACKAGES = [
    "adapters",
    "basemodels",
    "benchmarks",
    "configuration",
    "demo",
    "pseudocode",
    "reasoning",
    "service",
    "training",
]
MAX_LINES = 300
MAX_TEST_LINES = 500
MAX_FUNCTION_LINES = 50


PYTHON = [path for path in tracked() if path.suffix == ".py"]


def test_git_lists_the_sources() -> None:
    assert Path("adapters/store.py") in PYTHON


@pytest.mark.parametrize("path", PYTHON, ids=str)
def test_a_file_is_short_or_says_why(path: Path) -> None:
    limit = MAX_TEST_LINES if path.parts[0] == "tests" else MAX_LINES
    text = (ROOT / path).read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text)) or ""
    assert len(text.splitlines()) <= limit or "Longer than most, because" in docstring


@pytest.mark.parametrize("path", PYTHON, ids=str)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    assert docstring, f"{path} has no docstring"


@pytest.mark.parametrize("path", [path for path in PYTHON if path.parts[0] != "tests"], ids=str)
def test_functions_are_short(path: Path) -> None:
    """Statements, not lines of one long table of declarations, are what a reader counts."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 - docstring_lines(node) > MAX_FUNCTION_LINES
    }
    assert not long


def docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return len((ast.get_docstring(node) or "").splitlines())


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "base"}
    assert not [path for path in PYTHON if path.stem in empty]


def test_the_readme_holds_the_tree_of_today() -> None:
    found = BLOCK.search(README.read_text(encoding="utf-8"))
    assert found, "README.md has no `## The tree` with a ```text block"
    assert found[2] == render(), "run: python tests/repository/annotated_tree.py --write"


def test_the_readme_holds_the_models_of_today() -> None:
    found = model_table.BLOCK.search(README.read_text(encoding="utf-8"))
    assert found, "README.md has no <!-- models --> block"
    assert found[2] == model_table.render(), "run: python tests/repository/model_table.py --write"


def test_where_to_change_what_names_paths_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("## Where to change what", 1)[1]
    paths = [path for path in re.findall(r"`([\w./-]+)`", table) if "/" in path]
    assert len(paths) > 10
    assert not [path for path in paths if not (ROOT / path).exists()]


@pytest.mark.parametrize(
    "package", ["adapters", "basemodels", "configuration", "pseudocode", "reasoning"]
)
def test_the_bottom_layer_imports_nothing_heavy(package: str) -> None:
    modules = [
        ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for path in PYTHON
        if path.parts[0] == package and path.name != "__main__.py"
    ]
    code = (
        f"import sys, {', '.join(modules)}\n"
        "import logging\n"
        "heavy = {'torch', 'transformers', 'vllm', 'fastapi'} & set(sys.modules)\n"
        "sys.exit(f'{heavy} {logging.root.handlers}' if heavy or logging.root.handlers else 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_nothing_unsafe_is_imported_or_called() -> None:
    offenders = []
    for path in PYTHON:
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                names = [f"{node.func.id}()"]
            offenders += [
                f"{path}: {name}"
                for name in names
                if name in {"pickle", "dill", "marshal", "shelve", "eval()", "exec()"}
            ]
    assert not offenders


def test_scripts_can_be_run_and_stop_at_the_first_error() -> None:
    for path in [path for path in tracked() if path.parts[0] in {"scripts", ".ci"}]:
        assert (ROOT / path).stat().st_mode & 0o111, f"{path} is not executable"
        assert "set -euo pipefail" in (ROOT / path).read_text(encoding="utf-8"), path


def test_every_locked_package_has_a_digest() -> None:
    locks = [path for path in tracked() if path.match("requirements/*.txt")]
    assert len(locks) == 5
    for path in locks:
        blocks = re.split(r"\n(?=[^\s#])", (ROOT / path).read_text(encoding="utf-8").strip())
        names = [block.splitlines()[0] for block in blocks if "==" in block.splitlines()[0]]
        assert names, f"{path} names no package"
        unhashed = [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block]
        assert not unhashed, f"{path}: {unhashed}"


def test_the_text_speaks_of_the_project_alone() -> None:
    """No path of one machine and no address of one registry in what is published.

    Where the service is installed by the book, in the opt directory, is no path of one machine.
    """
    pattern = re.compile(
        r"(^|[^\w./])/((root|home|work)/|opt/(?!loradock))|pypi\.org/simple|files\.pythonhosted"
    )
    offenders = [
        f"{path}:{number}"
        for path in tracked()
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".in", ""}
        and path.name != "test_repo_rules.py"
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not offenders
