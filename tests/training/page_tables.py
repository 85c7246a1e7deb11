"""The tables of docs/training.md that are made from the code.

`PYTHONPATH=. python tests/training/page_tables.py` writes them into the page.
"""

import re
from pathlib import Path

from training import codes
from training.tasks import registry

PAGE = Path(__file__).parents[2] / "docs" / "training.md"
TABLES = {"codes": codes.table, "tasks": registry.table}


def render(page: str) -> str:
    """The page with every table between its marks made anew."""
    for name, table in TABLES.items():
        pattern = rf"(<!-- {name}, generated -->\n).*?(<!-- end -->)"
        page, times = re.subn(
            pattern,
            lambda match, text=table(): f"{match[1]}{text}\n{match[2]}",
            page,
            flags=re.DOTALL,
        )
        if times != 1:
            raise LookupError(f"{PAGE} has {times} places for the table of {name}, expected one")
    return page


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
