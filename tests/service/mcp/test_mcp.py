"""The tools through the official client, on stdio and over streamable HTTP."""

import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import httpx2
import pytest
from mcp import Client, ClientSession, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from service.engine.protocol import JSON
from service.mcp.solve_and_run import make_server
from tests.service.running import Running, listening
from tests.service.solving.scripted import QUESTION, RIGHT, ScriptedEngine, store_with_solver

ROOT = Path(__file__).resolve().parents[3]
KEYS = {"api_key": "inference-secret-1", "admin_key": "administrator-key"}
PROGRAM = "cost = 3 * 4.50\nreturn 20 - cost"


@asynccontextmanager
async def on_stdio(url: str, key: str | None = None) -> AsyncIterator[ClientSession]:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "service", "mcp", "--url", url],
        env={"PYTHONPATH": str(ROOT), **({"LORADOCK_API_KEY": key} if key else {})},
        cwd=ROOT,
    )
    async with stdio_client(parameters) as streams, ClientSession(*streams) as session:
        await session.initialize()
        yield session


@asynccontextmanager
async def over_http(url: str, key: str | None = None) -> AsyncIterator[ClientSession]:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        streamable_http_client(f"{url}/mcp", http_client=http) as streams,
        ClientSession(*streams) as session,
    ):
        await session.initialize()
        yield session


def structured(result: CallToolResult) -> JSON:
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


def told(result: CallToolResult) -> str:
    assert result.is_error
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


async def call(
    session: ClientSession, name: str, arguments: Mapping[str, object]
) -> CallToolResult:
    result = await session.call_tool(name, dict(arguments))
    assert isinstance(result, CallToolResult)
    return result


def url_of(app: Running) -> str:
    return str(app.client.base_url)


@pytest.mark.parametrize(
    ("connect", "keys"), [(on_stdio, KEYS), (over_http, KEYS), (over_http, {})]
)
async def test_an_assistant_solves_and_runs(
    tmp_path: Path, connect: type, keys: dict[str, str]
) -> None:
    engine = ScriptedEngine(drawn=[RIGHT])
    async with (
        listening(engine, store_with_solver(tmp_path), keys) as app,
        connect(url_of(app), keys.get("api_key")) as session,
    ):
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        assert tools.keys() == {"solve", "run"}
        solution = structured(await call(session, "solve", {"question": QUESTION, "samples": 2}))
        assert (solution["answer"], solution["model"]) == ("10", "pseudocode@1")
        ran = structured(await call(session, "run", {"program": PROGRAM}))
        assert (ran["answer"], ran["error"]) == ("6.5", None)
        nothing = structured(await call(session, "solve", {"question": "Hello"}))
        assert (nothing["answer"], nothing["abstained"]) == (None, "no_numbers")
        broken = structured(await call(session, "run", {"program": "return 1 / 0"}))
        assert broken["answer"] is None
        refused = told(await call(session, "solve", {"question": QUESTION, "model": "novel"}))
        assert "was not trained to write programs" in refused
        assert "samples" in told(await call(session, "solve", {"question": "5?", "samples": 10**6}))


async def test_a_service_that_cannot_be_reached_is_said_to_be() -> None:
    async def ask(body: JSON, headers: Mapping[str, str] | None) -> httpx.Response:
        raise httpx.ConnectError("refused")

    async with Client(make_server(ask)) as client:
        result = await client.call_tool("solve", {"question": QUESTION})
        assert "could not be asked (ConnectError: refused)" in told(result)


async def post(app: Running, headers: Mapping[str, str] = {}) -> tuple[int, JSON]:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"accept": "application/json, text/event-stream", **headers}
    response = await app.client.post("/mcp", json=body, headers=accept)
    return response.status_code, json.loads(response.text) if response.text[:1] == "{" else {}


async def test_http_asks_for_the_inference_key(tmp_path: Path) -> None:
    async with listening(ScriptedEngine(), store_with_solver(tmp_path), KEYS) as app:
        status, document = await post(app)
        assert status == 401
        assert document["error"]["code"] == "invalid_api_key"  # type: ignore[index,call-overload]
        assert (await post(app, {"authorization": f"Bearer {KEYS['admin_key']}"}))[0] == 401
        assert (await post(app, {"authorization": f"Bearer {KEYS['api_key']}"}))[0] == 200


async def test_without_keys_no_web_page_gets_in(tmp_path: Path) -> None:
    async with listening(ScriptedEngine(), store_with_solver(tmp_path)) as app:
        assert (await post(app, {"origin": "http://evil.example"}))[0] == 403
        assert (await post(app, {"host": "evil.example"}))[0] == 421
        assert (await post(app))[0] == 200


async def test_nothing_is_kept_of_a_client_so_there_is_nothing_to_listen_to(
    tmp_path: Path,
) -> None:
    async with listening(ScriptedEngine(), store_with_solver(tmp_path)) as app:
        assert (await app.client.get("/mcp")).status_code == 405
        assert (await app.client.delete("/mcp")).status_code == 405


async def test_its_questions_are_counted_as_any_other(tmp_path: Path) -> None:
    async with listening(ScriptedEngine(), store_with_solver(tmp_path)) as app:
        async with over_http(url_of(app)) as session:
            await call(session, "solve", {"question": QUESTION})
        numbers = await app.metrics()
    assert 'code="200",route="solve",version="1"} 1.0' in numbers
    assert 'route="mcp"' in numbers
