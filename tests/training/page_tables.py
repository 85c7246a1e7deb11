"""The tables of docs/training.md that are made from the code.

`PYTHONPATH=. python tests/training/page_tables.py` writes them into the page.
"""

import tempfile
from pathlib import Path

from tests.training.seed_configs import write_config
from tests.training.shipped import RECIPES, read
from training import codes
from training.paper import row_of
from training.tasks import registry

PAGE = Path(__file__).parents[2] / "docs" / "training.md"


def recipes_table() -> str:
    """What each shipped recipe takes on a 4090, by the configuration of its base."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            row_of(path.stem, read(path), write_config(Path(folder), read(path).base))
            for path in RECIPES
        ]
    head = "| recipe | base | weights | as | base GB | activations GB | memory | time |"
    return "\n".join([head, "|---|---|---|---|---|---|---|---|", *rows])


TABLES = {"codes": codes.table, "tasks": registry.table, "recipes": recipes_table}


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
