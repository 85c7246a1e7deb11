"""The examples of `docs/pseudocode.md` as they stand there, each run by its own client."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest

from service.solving.solution import ABSTENTIONS
from tests.service.running import listening
from tests.service.solving.scripted import RIGHT, ScriptedEngine, store_with_solver

ROOT = Path(__file__).resolve().parents[3]
SECTION = (
    (ROOT / "docs" / "pseudocode.md").read_text(encoding="utf-8").partition("\n## Solving\n")[2]
)
WRITTEN_URL = "http://127.0.0.1:8000"


def block(language: str, containing: str) -> str:
    """The one code block that contains a text."""
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    (found,) = [text for text in blocks if containing in text]
    return found


async def output_of(command: list[str], tmp_path: Path) -> str:
    """Run an example, in which the service's address is replaced by a running one's."""
    store = store_with_solver(tmp_path)
    async with listening(ScriptedEngine(drawn=[RIGHT]), store) as app:
        addressed = [part.replace(WRITTEN_URL, str(app.client.base_url)) for part in command]
        process = await asyncio.create_subprocess_exec(
            *addressed,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        )
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()


def python(containing: str) -> list[str]:
    return [sys.executable, "-c", block("python", containing)]


async def test_curl_gets_what_is_printed_there(tmp_path: Path) -> None:
    answer = json.loads(await output_of(["bash", "-c", block("sh", "curl")], tmp_path))
    printed = json.loads(block("json", '"abstained"'))
    assert answer.keys() == printed.keys()
    changing = {"id", "created", "usage"}
    assert {name: answer[name] for name in answer.keys() - changing} == {
        name: printed[name] for name in printed.keys() - changing
    }


async def test_the_openai_client(tmp_path: Path) -> None:
    output = await output_of(python("from openai"), tmp_path)
    assert output.startswith(f"{RIGHT}\n# answer: 10\n10 {{")


async def test_a_tool_of_langchain(tmp_path: Path) -> None:
    pytest.importorskip("langchain_core", reason="comes with the lock of the clients")
    assert await output_of(python("langchain_core"), tmp_path) == "10\n"


async def test_a_session_of_the_model_context_protocol(tmp_path: Path) -> None:
    assert await output_of(python("ClientSession"), tmp_path) == "10\n"


def test_the_configuration_of_assistants_is_json() -> None:
    (server,) = json.loads(block("json", "mcpServers"))["mcpServers"].values()
    assert server["args"][:3] == ["-m", "service", "mcp"]


def test_every_reason_to_abstain_is_listed() -> None:
    for code, reason in ABSTENTIONS.items():
        assert f"| `{code}` | {reason} |" in SECTION
