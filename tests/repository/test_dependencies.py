"""What the project asks for is needed, and says why."""

import ast
import re
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = "adapters basemodels benchmarks configuration demo pseudocode reasoning service training"
# transformers imports them where a base or a recipe asks for it.
LOADED_BY_OTHERS = {"bitsandbytes", "gguf"}


def _asked_for() -> dict[str, str]:
    lines = (ROOT / "requirements" / "runtime.in").read_text(encoding="utf-8").splitlines()
    parts = (line.partition("#") for line in lines if not line.startswith("#"))
    return {re.split(r"[=\s]", name)[0]: reason.strip() for name, _, reason in parts}


def _imported() -> set[str]:
    modules = set()
    for package in PACKAGES.split():
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    modules |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    modules.add(node.module.partition(".")[0])
    return modules


def test_every_dependency_says_what_it_is_for() -> None:
    assert [name for name, reason in _asked_for().items() if not reason] == []


def test_every_dependency_is_imported() -> None:
    distributions = packages_distributions()
    imported = {
        distribution.lower().replace("_", "-")
        for module in _imported()
        for distribution in distributions.get(module, [])
    }
    assert set(_asked_for()) - imported == LOADED_BY_OTHERS
