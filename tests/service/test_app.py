"""The surface as a whole: what there is, who may ask, and that handlers stay thin."""

import ast
import re
from pathlib import Path

import yaml
from fastapi.routing import APIRoute

from service.app import bare_app
from service.dependencies import RequireKey
from service.errors import STATUS
from service.openapi import render

ROOT = Path(__file__).resolve().parents[2]
ROUTES = [route for route in bare_app().routes if isinstance(route, APIRoute)]
PAGE = {"/", "/page/{file}"}
OPEN = {"/health/live", "/health/ready"} | PAGE


def test_the_routes_are_these_and_no_others() -> None:
    assert {(method, route.path) for route in ROUTES for method in route.methods} == {
        ("GET", "/v1/models"),
        ("GET", "/v1/models/{model_id:path}"),
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/completions"),
        ("POST", "/v1/cot/check"),
        ("POST", "/v1/pseudocode/solve"),
        ("POST", "/v1/responses"),
        ("POST", "/v1/evolution/next"),
        ("GET", "/"),
        ("GET", "/page/{file}"),
        ("GET", "/admin/adapters"),
        ("GET", "/admin/adapters/{name}"),
        ("POST", "/admin/adapters/{name}/promote"),
        ("POST", "/admin/adapters/{name}/rollback"),
        ("POST", "/admin/adapters/{name}/load"),
        ("POST", "/admin/adapters/{name}/unload"),
        ("POST", "/admin/adapters/{name}/pin"),
        ("POST", "/admin/adapters/{name}/unpin"),
        ("POST", "/admin/adapters/{name}/canaries"),
        ("DELETE", "/admin/adapters/{name}/canaries/{alias}"),
        ("GET", "/admin/events"),
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
        ("GET", "/metrics"),
    }


def test_every_route_but_health_and_the_page_asks_for_a_key_that_fits_its_path() -> None:
    for route in ROUTES:
        guards = [
            dependency.dependency
            for dependency in route.dependencies
            if isinstance(dependency.dependency, RequireKey)
        ]
        if route.path in OPEN:
            assert not guards
        elif route.path.startswith("/admin"):
            assert [guard.roles for guard in guards] == [{"admin"}]
        elif route.path == "/metrics":
            assert [guard.roles for guard in guards] == [{"inference", "admin"}]
        else:
            assert [guard.roles for guard in guards] == [{"inference"}]


def test_no_inference_route_answers_409_which_clients_would_repeat() -> None:
    for route in ROUTES:
        assert (409 in route.responses) == (
            route.path.startswith("/admin") and "GET" not in route.methods
        )


def test_every_route_describes_its_answers() -> None:
    for route in ROUTES:
        assert route.response_model or route.path == "/metrics" or route.path in PAGE, route.path
        assert route.operation_id
        assert re.fullmatch(r"[a-z][A-Za-z]+", route.operation_id)
        assert 500 in route.responses


def test_handlers_are_at_most_fifteen_lines() -> None:
    for path in (ROOT / "service" / "routes").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                assert node.end_lineno - node.lineno < 15, f"{path.name}:{node.name}"


def test_the_published_description_is_that_of_the_app() -> None:
    published = (ROOT / "openapi.yaml").read_text(encoding="utf-8")
    assert published == render(bare_app()), "python -m service openapi > openapi.yaml"


def test_the_description_knows_our_errors_and_not_fastapis() -> None:
    document = yaml.safe_load(render(bare_app()))
    for methods in document["paths"].values():
        for operation in methods.values():
            assert "422" not in operation["responses"]
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    schema = response["content"]["application/json"]["schema"]
                    assert schema["$ref"].endswith("/ErrorBody")
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])


def test_every_status_of_an_error_is_described_somewhere() -> None:
    described = {status for route in ROUTES for status in route.responses}
    assert {int(status) for status in STATUS.values()} - {499} <= described
