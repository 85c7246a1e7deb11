"""`python -m service mcp --url URL`: the tools on stdio, for assistants that start their servers.

It holds no model: `solve` goes to a running service, `run` is computed here.
"""

import argparse
import asyncio
import os
from collections.abc import Mapping, Sequence

import httpx

from service.engine.protocol import JSON

DEFAULT_URL = "http://127.0.0.1:8000"
KEY_VARIABLE = "LORADOCK_API_KEY"
TIMEOUT_S = 300.0


def main(argv: Sequence[str]) -> int:
    """Serve until stdin closes; the exit code is 0."""
    arguments = _parser().parse_args(argv)
    asyncio.run(_serve(arguments.url.rstrip("/"), os.environ.get(KEY_VARIABLE)))
    return 0


async def _serve(url: str, key: str | None) -> None:
    # The package takes a second to import, which `--help` need not wait for.
    from service.mcp.solve_and_run import make_server  # noqa: PLC0415

    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S) as client:

        async def ask(body: JSON, _headers: Mapping[str, str] | None) -> httpx.Response:
            return await client.post("/v1/pseudocode/solve", json=body)

        await make_server(ask).run_stdio_async()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m service mcp",
        description="Speak the Model Context Protocol on stdio: the tools solve and run.",
        epilog=f"The service's API key, if it has one, is read from {KEY_VARIABLE}.",
        allow_abbrev=False,
    )
    parser.add_argument("--url", default=DEFAULT_URL, help=f"a running service [{DEFAULT_URL}]")
    return parser
