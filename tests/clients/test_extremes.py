"""Parameters at and beyond their limits, on the real engine: refused or obeyed, and it lives."""

import json
from collections.abc import Sequence

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from tests.clients.conftest import API_KEY
from tests.clients.process import Server

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
HEADERS = {"Authorization": f"Bearer {API_KEY}"}
NUMBERS = [0, 1, -1, 2, 20, 21, 2**31, 2**53, 2**63 - 1, 2**64, 0.5, 1e-308, 1e308, -0.0]
SCHEMAS: list[JsonValue] = [
    {},
    {"type": 3},
    {"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}},
    {"$ref": "#"},
    {"type": "string", "pattern": "(a+)+$"},
    {"type": "string", "pattern": "("},
    {"enum": []},
    {"anyOf": [{"type": "integer"}, {"not": {}}]},
    {"type": "array", "minItems": 10**9},
]


def each(key: str, values: Sequence[JsonValue]) -> list[dict[str, JsonValue]]:
    return [{key: value} for value in values]


FORMATS: list[JsonValue] = [{"type": "json_object"}, {"type": "json_schema"}]
for schema in SCHEMAS:
    FORMATS.append({"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})
FIELDS: dict[str, Sequence[JsonValue]] = {
    **{
        name: list(NUMBERS)
        for name in (
            *("max_tokens", "min_tokens", "temperature", "top_p", "top_k", "min_p", "seed", "n"),
            *("presence_penalty", "frequency_penalty", "repetition_penalty", "logprobs"),
        )
    },
    "stop": ["", "a", ["a"] * 5, ["\x00"], "\U0001f600"],
    "logit_bias": [{}, {"0": 100}, {"256": -100}, {"257": 1}, {"999999999": 1}],
    "prompt": ["", "\x00", [], [0], [256], [257], [-1], ["a", "b"], [[1], [2]], "x" * 5000],
    "echo": [True],
    "ignore_eos": [True],
    "structured_outputs": [
        *each("json", SCHEMAS),
        *each("regex", ["(", "(a|b)*c", "[", "a{1000000}", "\\"]),
        *each("grammar", ["(", "root ::= root", 'start: "a"', "start: start"]),
        *each("choice", [[""], ["a", "a"], ["x" * 1000]]),
    ],
    "response_format": FORMATS,
}
BODIES = st.lists(
    st.sampled_from(sorted(FIELDS)).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(FIELDS[name]))
    ),
    max_size=3,
).map(dict)


def ask(server: Server, body: dict[str, JsonValue]) -> httpx.Response:
    whole = {"model": "alpha", "prompt": "Say:", "max_tokens": 4, "temperature": 0, **body}
    return httpx.post(
        f"{server.url}/v1/completions", content=json.dumps(whole), headers=JSON, timeout=60
    )


JSON = {**HEADERS, "Content-Type": "application/json"}


def test_no_parameter_makes_the_engine_fail_or_die(real_server: Server) -> None:
    @settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(BODIES)
    def check(body: dict[str, JsonValue]) -> None:
        answer = ask(real_server, body)
        assert answer.status_code in {200, 400}, (body, answer.text)
        if answer.status_code == 400:
            assert answer.json()["error"]["message"], body

    for name, values in FIELDS.items():
        for value in values:
            answer = ask(real_server, {name: value})
            assert answer.status_code in {200, 400}, (name, value, answer.text)
    check()
    assert ask(real_server, {}).json()["choices"][0]["text"] == "abca"
    page = httpx.get(f"{real_server.url}/metrics", headers=HEADERS).text
    assert "loradock_engine_up 1.0" in page
