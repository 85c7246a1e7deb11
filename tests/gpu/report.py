"""The report of a run on a card: every figure with its goal, what failed, and on what it ran.

Written anew after every test, so that what ends the run does not take the report with it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import _pages
from benchmarks.figures import Figure


class Report:
    """See the module.

    Args:
        path: The JSON file; the table is beside it as `.md`.
        facts: What it ran on.
    """

    def __init__(self, path: Path, facts: Mapping[str, str]) -> None:
        self._path = path
        self._facts = dict(facts)
        self._figures: dict[str, list[Figure]] = {}
        self._failed: dict[str, str] = {}

    def take(self, test: str, figures: Sequence[Figure]) -> None:
        """Add what a test has measured."""
        self._figures.setdefault(test, []).extend(figures)
        self._write()

    def fail(self, test: str, why: str) -> None:
        """Add that a test failed; a missed goal has said so itself."""
        if all(figure.ok is not False for figure in self._figures.get(test, ())):
            self._failed[test] = why
            self._write()

    def _write(self) -> None:
        document = {
            "on": self._facts,
            "figures": [
                {"test": test, **asdict(figure)}
                for test, figures in self._figures.items()
                for figure in figures
            ],
            "failed": self._failed,
        }
        self._path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        self._path.with_suffix(".md").write_text(self._as_page(), encoding="utf-8")

    def _as_page(self) -> str:
        on = "\n".join(f"- {name}: {value}" for name, value in self._facts.items())
        rows = [
            [test, figure.name, _value(figure), figure.goal, _verdict(figure), figure.note]
            for test, figures in self._figures.items()
            for figure in figures
        ]
        rows += [[test, "", "", "", "FAILED", why] for test, why in self._failed.items()]
        head = ["test", "figure", "value", "goal", "ok", "how"]
        table = _pages.table(head, [[_cell(cell) for cell in row] for row in rows])
        return f"# On a GPU\n\n{on}\n\n{table}\n"


def _value(figure: Figure) -> str:
    return f"{figure.value:.4g} {figure.unit}".rstrip()


def _verdict(figure: Figure) -> str:
    return {True: "ok", False: "MISSED", None: ""}[figure.ok]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
