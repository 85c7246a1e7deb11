"""What clients may send, and every field that is refused."""

import json

import pytest
from pydantic import JsonValue

from tests.service.running import Running


def nested(depth: int) -> JsonValue:
    value: JsonValue = {"type": "string"}
    for _ in range(depth):
        value = {"type": "object", "properties": value}
    return value


REFUSED_ANYWHERE: list[tuple[str, JsonValue]] = [
    ("chat_template", "{{ messages }}"),
    ("chat_template_kwargs", {"x": 1}),
    ("best_of", 2),
    ("stop_token_ids", [1]),
    ("guided_json", {}),
    ("guided_regex", "a"),
    ("guided_choice", ["a"]),
    ("guided_grammar", "root ::= a"),
    ("functions", []),
    ("function_call", "auto"),
    ("lora_path", "/etc"),
    ("cache_salt", "x"),
    ("n", 9),
    ("n", 0),
    ("temperature", 2.1),
    ("temperature", -0.1),
    ("top_p", 0),
    ("top_p", 1.1),
    ("max_tokens", -1),
    ("seed", "1"),
    ("seed", 1.5),
    ("max_tokens", True),
    ("temperature", "1"),
    ("stream", 1),
    ("stop", ["a", "b", "c", "d", "e"]),
    ("stop", "x" * 257),
    ("stop", [""]),
    ("logit_bias", {str(token): 1 for token in range(301)}),
    ("logit_bias", {"1": 101}),
    ("logit_bias", {"one": 1}),
    ("stream_options", {"include_usage": True}),
    ("response_format", {"type": "structural_tag"}),
    (
        "response_format",
        {"type": "json_schema", "json_schema": {"name": "x", "schema": {"x": "y" * 17_000}}},
    ),
    (
        "response_format",
        {"type": "json_schema", "json_schema": {"name": "x", "schema": nested(17)}},
    ),
    ("structured_outputs", {}),
    ("structured_outputs", {"regex": "a", "choice": ["a"]}),
    ("structured_outputs", {"grammar": "x" * 17_000}),
    ("structured_outputs", {"regex": "x" * 5_000}),
    ("structured_outputs", {"structural_tag": "x"}),
    ("model", ""),
    ("model", "x" * 201),
    ("model", None),
]
REFUSED_IN_CHAT: list[tuple[str, JsonValue]] = [
    ("messages", []),
    ("messages", [{"role": "robot", "content": "x"}]),
    ("messages", [{"role": "user"}]),
    ("messages", [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]),
    ("messages", [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]),
    ("messages", [{"role": "user", "content": "x"}] * 1025),
    ("top_logprobs", 21),
    ("tools", [{"type": "web_search"}]),
    ("tool_choice", "must"),
    ("add_generation_prompt", False),
]
REFUSED_IN_COMPLETIONS: list[tuple[str, JsonValue]] = [
    ("prompt", []),
    ("prompt", ["x"] * 65),
    ("prompt", [[1]] * 65),
    ("prompt", [-1]),
    ("prompt", {"text": "x"}),
    ("prompt", None),
    ("logprobs", 21),
    ("suffix", "x"),
]


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [("chat/completions", *case) for case in REFUSED_ANYWHERE + REFUSED_IN_CHAT]
    + [("completions", *case) for case in REFUSED_ANYWHERE + REFUSED_IN_COMPLETIONS],
    ids=lambda part: json.dumps(part)[:40],
)
async def test_a_refused_field_is_named(
    app: Running, path: str, field: str, value: JsonValue
) -> None:
    body: dict[str, JsonValue] = {"model": "alpha", field: value}
    if path == "completions":
        body.setdefault("prompt", "x")
    else:
        body.setdefault("messages", [{"role": "user", "content": "x"}])
    response = await app.client.post(f"/v1/{path}", json=body)
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"] is None or error["param"].split(".")[0] == field
    assert field in error["message"]


@pytest.mark.parametrize("path", ["chat/completions", "completions"])
async def test_model_is_required(app: Running, path: str) -> None:
    body = {"prompt": "x"} if path == "completions" else {"messages": [{"role": "user"}]}
    response = await app.client.post(f"/v1/{path}", json=body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["param"], error["code"]) == ("model", "missing_required_parameter")


async def test_what_clients_always_send_is_taken_and_not_passed_on(app: Running) -> None:
    response = await app.chat(
        "alpha",
        user="somebody",
        store=False,
        metadata={"a": "b"},
        service_tier="auto",
        prompt_cache_key="k",
        safety_identifier="s",
        n=None,
        stop=None,
        response_format=None,
    )
    assert response.status_code == 200, response.text


async def test_an_answer_may_be_sent_back_as_history(app: Running) -> None:
    answer = (await app.chat("alpha")).json()["choices"][0]["message"]
    history = [
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
        {**answer, "refusal": None, "annotations": []},
        {"role": "user", "content": "And?"},
    ]
    response = await app.client.post(
        "/v1/chat/completions", json={"model": "alpha", "messages": history}
    )
    assert response.status_code == 200, response.text


async def test_schemas_within_the_limits_are_taken(app: Running) -> None:
    schema = {"type": "object", "properties": {"a": {"default": None}}}
    response = await app.chat(
        "alpha",
        response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
    )
    assert response.status_code == 200, response.text
    response = await app.chat("alpha", structured_outputs={"grammar": 'start: "a"'})
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("seed", [-(2**63), 2**64 + 5, 7.0])
async def test_any_integer_is_a_seed_however_json_writes_it(app: Running, seed: float) -> None:
    assert (await app.complete("alpha", seed=seed)).status_code == 200


async def test_no_token_may_be_asked_for_only_with_the_prompt_itself(app: Running) -> None:
    refused = await app.complete("alpha", max_tokens=0)
    assert refused.status_code == 400
    assert "echo=true" in refused.text
    assert (await app.complete("alpha", max_tokens=0, echo=True)).status_code == 200


async def test_a_turn_of_calls_needs_no_content(app: Running) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns = [
        {"role": "user", "content": "What time is it?"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "noon"},
    ]
    body = {"model": "alpha", "messages": turns}
    assert (await app.client.post("/v1/chat/completions", json=body)).status_code == 200
