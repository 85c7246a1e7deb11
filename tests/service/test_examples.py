"""The examples of `docs/service.md` and the README's call as they stand there, each run by its own client."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from service.engine.fake import FakeEngine
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, listening

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
WRITTEN_URL = "http://127.0.0.1:8000"
# An error ends the script with a code, which curl by itself does not make of it.
STRICT = 'set -e\ncurl() { command curl -sS --fail-with-body "$@"; echo; }\n'


@pytest.fixture
async def documented(tmp_path: Path) -> AsyncIterator[Running]:
    """A server with the adapters of the examples, one of them in three versions."""
    store = MemoryStore(tmp_path)
    for number in (1, 2, 3):
        store.add("pseudocode", number)
    store.add("my-task", 1)
    for name in ("pseudocode", "my-task"):
        store.move(name, 1)
    async with listening(FakeEngine(), store) as app:
        yield app


def blocks(language: str, document: str = DOCUMENT) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", document, re.DOTALL)


async def output_of(app: Running, *command: str) -> str:
    """Run an example, in which the service's address is replaced by the running one's."""
    url = str(app.client.base_url).rstrip("/")
    process = await asyncio.create_subprocess_exec(
        *(part.replace(WRITTEN_URL, url) for part in command),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, output.decode() + errors.decode()
    return output.decode()


async def test_curl_gets_an_answer(documented: Running) -> None:
    (found,) = [text for text in blocks("console") if "curl" in text]
    assert '"model":"pseudocode@1"' in await output_of(
        documented, "bash", "-c", STRICT + found.removeprefix("$ ")
    )


async def test_the_readmes_curl_gets_an_answer_of_the_own_rows_adapter(documented: Running) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (found,) = [text for text in blocks("sh", readme) if "curl" in text]
    assert '"model":"my-task@1"' in await output_of(documented, "bash", "-c", STRICT + found)


async def test_everything_that_an_administrator_can_do_is_done(documented: Running) -> None:
    (found,) = [text for text in blocks("sh") if "/admin" in text]
    assert '"alias_moved"' in await output_of(documented, "bash", "-c", STRICT + found)
    routes = {
        route.path.removeprefix("/admin").replace("{name}", "pseudocode").partition("{")[0]
        for route in documented.app.routes
        if isinstance(route, APIRoute) and route.path.startswith("/admin")
    }
    assert len(routes) >= 11
    assert all(f"$at{route}" in found for route in routes)


async def test_the_openai_client(documented: Running) -> None:
    first, second = [text for text in blocks("python") if "langchain" not in text]
    output = await output_of(documented, sys.executable, "-c", first + second)
    assert output.startswith("pseudocode@1 ")
    assert len(output.split()) == 1 + 3 * 8 - 1


async def test_langchain(documented: Running) -> None:
    pytest.importorskip("langchain_openai", reason="comes with the lock of the clients")
    (found,) = [text for text in blocks("python") if "langchain" in text]
    output = await output_of(documented, sys.executable, "-W", "ignore", "-c", found)
    assert len(output.split()) == 8
