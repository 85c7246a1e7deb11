"""The two tools, over any way to reach the solve route."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Literal

import httpx
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

import pseudocode
from service.engine.protocol import JSON
from service.solving.options import DEFAULT_MODEL, MAX_QUESTION_CHARACTERS, MAX_SAMPLES
from service.solving.solution import Solution, SolvedStep

# Takes the body and the caller's headers, if there are any.
Ask = Callable[[JSON, Mapping[str, str] | None], Awaitable[httpx.Response]]

NAME = "loradock"
INSTRUCTIONS = (
    "`solve` lets a small model write a program for a word problem and computes it exactly; it "
    "gives no answer rather than a guess. `run` computes a program that you wrote yourself."
)
# Each may compute for a second; the threads are the service's too.
RUNS_AT_ONCE = 2
READS_ONLY = ToolAnnotations(read_only_hint=True, open_world_hint=False)

Question = Annotated[
    str, Field(max_length=MAX_QUESTION_CHARACTERS, description="a word problem with numbers")
]
Samples = Annotated[
    int, Field(ge=1, le=MAX_SAMPLES, description="programs to vote among; 1 is fastest")
]
Grammar = Annotated[
    Literal["none", "dialect", "grounded"],
    Field(description="grounded allows no numbers but the question's"),
]


class Failed(BaseModel):
    """Why a program has no answer."""

    code: str
    message: str
    line: int | None


class Ran(BaseModel):
    """What a program computes, step by step; `answer` is null exactly when `error` is not."""

    answer: str | None
    trace: list[SolvedStep]
    steps: int
    error: Failed | None


def make_server(ask: Ask) -> MCPServer[None]:
    """Build the server.

    Args:
        ask: Posts a body to `/v1/pseudocode/solve`.
    """
    server: MCPServer[None] = MCPServer(NAME, instructions=INSTRUCTIONS)
    gate = asyncio.Semaphore(RUNS_AT_ONCE)

    @server.tool(annotations=READS_ONLY)
    async def solve(
        context: Context[None],
        question: Question,
        model: str = DEFAULT_MODEL,
        samples: Samples = 1,
        grammar: Grammar = "dialect",
        verify: bool = False,
    ) -> Solution:
        """Solve a word problem: a program is written, checked and run; `abstained` says why not."""
        body: JSON = {
            "question": question,
            "model": model,
            "samples": samples,
            "grammar": grammar,
            "verify": verify,
        }
        return await _solution(ask, body, context.headers)

    @server.tool(annotations=READS_ONLY)
    async def run(program: str) -> Ran:
        """Run a program of the pseudocode dialect exactly and show every step."""
        async with gate:
            result = await asyncio.to_thread(pseudocode.run, program)
        return Ran.model_validate(
            {
                "answer": result.answer,
                "trace": [dataclasses.asdict(step) for step in result.trace],
                "steps": result.steps,
                "error": dataclasses.asdict(result.error) if result.error else None,
            }
        )

    return server


async def _solution(ask: Ask, body: JSON, headers: Mapping[str, str] | None) -> Solution:
    """Ask, and tell the assistant what the service says if it refuses.

    Raises:
        ToolError: The service cannot be reached, or refuses.
    """
    try:
        response = await ask(body, headers)
    except httpx.HTTPError as error:
        raise ToolError(
            f"The service could not be asked ({type(error).__name__}: {error}). Check that it runs "
            "and that the URL is right."
        ) from error
    if response.status_code != httpx.codes.OK:
        raise ToolError(f"The service refused ({response.status_code}): {_reason(response)}")
    return Solution.model_validate_json(response.content)


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return response.text[:200]
