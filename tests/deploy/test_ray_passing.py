"""The part of the Ray deployment that needs no Ray; `scripts/ray` proves the rest."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from starlette.types import Message

RAY = Path(__file__).parents[2] / "deploy" / "ray"


@pytest.fixture(scope="module")
def passing() -> ModuleType:
    # A script of deploy/, which is no package.
    spec = importlib.util.spec_from_file_location("passing", RAY / "passing.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("body", "adapter"),
    [
        (b'{"model": "alpha", "prompt": "x"}', "alpha"),
        (b'{"model": "alpha@3"}', "alpha"),
        (b'{"model": "alpha@candidate"}', "alpha"),
        (b'{"model": 3}', ""),
        (b'["alpha"]', ""),
        (b"{", ""),
        (b"\xff", ""),
        (b"", ""),
    ],
)
def test_every_version_of_an_adapter_goes_the_same_way(
    passing: ModuleType, body: bytes, adapter: str
) -> None:
    assert passing.adapter_of(body) == adapter


async def test_of_a_body_that_is_too_long_no_more_is_read_than_refuses_it(
    passing: ModuleType,
) -> None:
    messages = [{"type": "http.request", "body": b"x" * 8, "more_body": True} for _ in range(9)]

    async def receive() -> Message:
        return messages.pop()

    assert len(await passing.read(receive, 20)) == 24
    assert len(messages) == 6


def test_what_belongs_to_one_process_stays_there(passing: ModuleType) -> None:
    scope = {"type": "http", "path": "/v1/models", "app": object(), "state": {"x": object()}}
    assert passing.portable(scope) == {"type": "http", "path": "/v1/models", "root_path": ""}


async def test_without_a_replica_the_answer_has_the_form_of_the_api(passing: ModuleType) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await passing.say_unavailable(send)
    start, body = sent
    assert start["status"] == 503
    assert (b"retry-after", b"5") in start["headers"]
    assert json.loads(body["body"])["error"]["code"] == "no_replica"
    event = passing.CUT.decode()
    assert event.startswith("data: {")
    assert event.endswith("\n\n")


def test_a_stream_is_known_by_its_type(passing: ModuleType) -> None:
    def begins(kind: bytes) -> Message:
        return {"type": "http.response.start", "headers": [(b"content-type", kind)]}

    assert passing.sends_events(begins(b"text/event-stream; charset=utf-8"))
    assert not passing.sends_events(begins(b"application/json"))
    assert not passing.sends_events({"type": "http.response.body", "body": b"text/event-stream"})


def test_serve_yaml_names_what_the_module_has() -> None:
    application = yaml.safe_load((RAY / "serve.yaml").read_text(encoding="utf-8"))["applications"][
        0
    ]
    module, _, function = application["import_path"].partition(":")
    source = (RAY / f"{module}.py").read_text(encoding="utf-8")
    assert f"\ndef {function}(" in source
    for deployment in application["deployments"]:
        assert f"\nclass {deployment['name']}:" in source
