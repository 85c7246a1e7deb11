"""The tables of `docs/service.md`, from the code: `python -m service reference [FILE]`.

With a file, the tables between its markers are replaced. A test holds the document to the code.
"""

import re
from collections.abc import Iterable, Sequence

from prometheus_client import Metric

from service.errors import STATUS, ServiceError, StartError
from service.metrics import Metrics
from service.settings import Settings


def tables() -> dict[str, str]:
    """Settings, errors and metrics, each as a Markdown table."""
    return {"settings": _settings(), "errors": _errors(), "metrics": _metrics()}


def _settings() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        flag = "--" + name.replace("_", "-")
        variable = f"`LORADOCK_{name.upper()}`"
        rows.append([f"`{flag}`", variable, default, field.description or ""])
    return _table(["flag", "variable", "default", "meaning"], rows)


def _errors() -> str:
    rows = [
        [f"{int(status)}", f"`{kind.code}`", _first_line(kind)]
        for kind, status in STATUS.items()
        if issubclass(kind, ServiceError)
    ]
    return _table(["status", "code", "meaning"], sorted(rows))


def _metrics() -> str:
    rows = [
        [f"`{_exposed(family)}`", family.type, family.documentation]
        for family in sorted(Metrics().registry.collect(), key=lambda family: family.name)
    ]
    return _table(["metric", "type", "meaning"], rows)


def _exposed(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").splitlines()[0]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def fill(document: str) -> str:
    """Replace what stands between `<!-- settings -->` and `<!-- /settings -->`, and so on.

    Raises:
        StartError: A marker is missing.
    """
    for title, table in tables().items():
        opening, closing = f"<!-- {title} -->\n", f"<!-- /{title} -->"
        pattern = f"{re.escape(opening)}.*?{re.escape(closing)}"
        filled = f"{opening}{table}\n{closing}".replace("\\", "\\\\")
        document, count = re.subn(pattern, filled, document, flags=re.DOTALL)
        if count != 1:
            raise StartError(
                f"The document has {count} places for the table {title!r}, expected one between "
                f"<!-- {title} --> and <!-- /{title} -->. Put the two markers back."
            )
    return document
