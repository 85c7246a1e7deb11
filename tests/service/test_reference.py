"""`docs/service.md` lists what the code has: settings, errors, metrics, routes."""

import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from service.app import bare_app
from service.errors import StartError
from service.reference import fill, tables
from service.settings import Settings

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "service.md").read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_code() -> None:
    assert fill(DOCUMENT) == DOCUMENT, "python -m service reference docs/service.md"


def test_every_setting_is_in_the_table_with_its_flag_and_variable() -> None:
    for name in Settings.model_fields:
        flag = "--" + name.replace("_", "-")
        assert f"| `{flag}` | `LORADOCK_{name.upper()}` |" in tables()["settings"]


def test_every_route_is_named() -> None:
    for route in bare_app().routes:
        if isinstance(route, APIRoute):
            path = re.sub(r"\{model_id:path\}", "{id}", route.path)
            (method,) = route.methods
            assert f"`{method} {path}`" in DOCUMENT


def test_a_document_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(StartError, match="0 places for the table 'errors'"):
        fill(DOCUMENT.replace("<!-- errors -->", ""))
