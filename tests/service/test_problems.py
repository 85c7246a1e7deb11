"""Every error, whatever its cause, has OpenAI's shape and the request's id."""

import json

import httpx
import pytest

from service.engine.fake import FakeEngine
from service.errors import STATUS, ServiceError
from service.problems import describe
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, running

JSON_TYPE = {"content-type": "application/json"}
KEYS = {"api_key": "inference-secret-1", "admin_key": "administrator-key"}


def check_shape(response: httpx.Response, status: int) -> dict[str, str | None]:
    assert response.status_code == status, response.text
    error: dict[str, str | None] = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert error["type"]
    assert response.headers["x-request-id"]
    if status in (429, 503):
        assert int(response.headers["retry-after"]) > 0
    return error


async def test_unknown_paths_and_methods(app: Running) -> None:
    assert check_shape(await app.client.get("/nothing"), 404)["code"] == "not_found"
    error = check_shape(await app.client.delete("/v1/models"), 405)
    assert error["code"] == "method_not_allowed"
    for path in ("/invocations", "/tokenize", "/v1/load_lora_adapter", "/docs", "/openapi.json"):
        check_shape(await app.client.post(path, json={}), 404)
    check_shape(await app.client.post("/v1/chat/completions/", json={}), 404)


@pytest.mark.parametrize(
    "model",
    ["nobody", "alpha@9", "alpha@nothing", "alpha@01x", "alpha@01", "alpha@", "@", "..", "/etc"],
)
async def test_an_unknown_model_is_404_and_never_the_base(app: Running, model: str) -> None:
    for response in (await app.chat(model), await app.complete(model)):
        error = check_shape(response, 404)
        assert (error["code"], error["param"]) == ("model_not_found", "model")
    check_shape(await app.client.get(f"/v1/models/{model}"), 404)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"model": "alpha", "prompt": "\xff"}',
        b'{"model": "alpha", "prompt": "\\ud800"}',
        b'{"model": "alpha", "prompt": "x", "temperature": NaN}',
        b'{"model": "alpha", "prompt": "x", "seed": ' + b"9" * 5000 + b"}",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"model": "\\ud800", "prompt": "x", "messages": [{"role": "user", "content": "x"}]}',
        b'{"model": "alpha", "messages": [{"role": "user", "content": "\\uD83D"}], "version": "x"}',
        b'{"model": "alpha", "prompt": "x", "user": "\\udfff"}',
        b'{"model": "nobody", "model": "alpha", "prompt": "x", "version": 1, "version": 2}',
        '{"model": "alpha", "prompt": "x", "version": 1}'.encode("utf-16"),
    ],
    ids=range(17),
)
async def test_a_body_that_is_not_a_request_is_400(app: Running, body: bytes) -> None:
    for path in ("/v1/completions", "/v1/chat/completions", "/admin/adapters/alpha/promote"):
        response = await app.client.post(path, content=body, headers=JSON_TYPE)
        assert check_shape(response, 400)["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"model": "alpha", "input": "x", "metadata": {"k": "\\ud83d"}}', "half a character"),
        (
            b'{"model": "alpha", "input": "x", "text": {}, "text": {}}',
            "the key 'text' stands twice",
        ),
        (
            b'{"model": "alpha", "input": "x", "temperature": -Infinity}',
            "-Infinity is not a number",
        ),
        (b'{"model": "alpha", "input": "\xff"}', "not UTF-8"),
        (b'{"model": "alpha", "input": ' + b"[" * 10_000, "nested too deep"),
        (b'{"model": "alpha", "input": ' + b"9" * 5000 + b"}", "too many digits"),
    ],
    ids=["half", "twice", "infinite", "bytes", "deep", "digits"],
)
async def test_what_is_wrong_with_a_body_is_said(app: Running, body: bytes, reason: str) -> None:
    response = await app.client.post("/v1/responses", content=body, headers=JSON_TYPE)
    error = check_shape(response, 400)
    assert error["code"] == "invalid_json"
    assert reason in str(error["message"])


async def test_whole_characters_arrive_however_they_are_written(app: Running) -> None:
    said = []
    for prompt in (b"\\ud83d\\ude00", "\U0001f600".encode()):
        body = b'{"model": "alpha", "prompt": "%s"}' % prompt
        response = await app.client.post("/v1/completions", content=body, headers=JSON_TYPE)
        said.append(response.json()["choices"][0]["text"])
    assert said[0] == said[1]


async def test_a_body_of_another_type_is_400_and_says_what_to_send(app: Running) -> None:
    body = json.dumps({"model": "alpha", "prompt": "x"})
    for headers in ({"content-type": "text/plain"}, {}):
        response = await app.client.post("/v1/completions", content=body, headers=headers)
        assert "application/json" in str(check_shape(response, 400)["message"])


async def test_without_the_right_key_it_is_401(
    engine: FakeEngine, memory_store: MemoryStore
) -> None:
    async with running(engine, memory_store, KEYS) as app:
        inference = {"authorization": f"Bearer {KEYS['api_key']}"}
        admin = {"authorization": f"Bearer {KEYS['admin_key']}"}
        for path, good, bad in (
            ("/v1/models", [inference], [{}, admin]),
            ("/v1/models/alpha", [inference], [{}, admin]),
            ("/admin/adapters", [admin], [{}, inference]),
            ("/metrics", [admin, inference], [{}, {"authorization": "Bearer nonsense"}]),
            ("/health/live", [{}], []),
            ("/health/ready", [{}], []),
        ):
            for headers in good:
                assert (await app.client.get(path, headers=headers)).status_code == 200
            for headers in bad:
                response = await app.client.get(path, headers=headers)
                assert check_shape(response, 401)["code"] == "invalid_api_key"
                assert response.headers["www-authenticate"] == "Bearer"
        check_shape(await app.chat("alpha"), 401)
        check_shape(await app.complete("alpha"), 401)
        check_shape(await app.promote("alpha", 2), 401)
        for path in ("/v1/completions", "/v1/responses", "/admin/adapters/alpha/promote"):
            unread = await app.client.post(path, content=b"{", headers=JSON_TYPE)
            check_shape(unread, 401)
        refused = [
            event.count for event in app.parts.events.after(0, 99) if "no key" in event.reason
        ]
        assert sum(refused) == 14, "each is counted once"


async def test_a_mistake_of_ours_is_500_and_keeps_its_text_to_itself(
    app: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(model: str) -> None:
        raise RuntimeError("a secret of the server")

    monkeypatch.setattr(app.parts.reconciler, "find", broken)
    response = await app.chat("alpha")
    assert "secret" not in str(check_shape(response, 500))


async def test_an_overloaded_engine_is_503(app: Running, engine: FakeEngine) -> None:
    engine.faults.overloaded = True
    assert check_shape(await app.chat("alpha"), 503)["code"] == "overloaded"


async def test_what_the_engine_refuses_keeps_its_status_and_field(app: Running) -> None:
    error = check_shape(await app.complete("alpha", ""), 400)
    assert error["param"] == "prompt"


def subclasses(kind: type[ServiceError]) -> list[type[ServiceError]]:
    return [kind] + [each for child in kind.__subclasses__() for each in subclasses(child)]


@pytest.mark.parametrize("kind", subclasses(ServiceError))
def test_every_error_has_a_status_of_its_own_or_of_its_parent(kind: type[ServiceError]) -> None:
    status, problem, headers = describe(kind("it failed"))
    assert kind in STATUS or kind.__mro__[1] in STATUS
    assert problem.code == kind.code
    assert ("retry-after" in headers) == (status in {429, 503})
