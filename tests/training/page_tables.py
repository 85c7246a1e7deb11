"""The tables of docs/training.md that are made from the code.

`PYTHONPATH=. python tests/training/page_tables.py` writes them into the page.
"""

from pathlib import Path

from training import codes
from training.tasks import registry

PAGE = Path(__file__).parents[2] / "docs" / "training.md"
TABLES = {"codes": codes.table, "tasks": registry.table}


def render(page: str) -> str:
    """The page with every table between its marks made anew."""
    for name, table in TABLES.items():
        before, mark, rest = page.partition(f"<!-- {name}, generated -->\n")
        _, end, behind = rest.partition("<!-- end -->")
        if not end:
            raise LookupError(f"{PAGE} has no place for the table of {name}")
        page = f"{before}{mark}{table()}\n{end}{behind}"
    return page


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
