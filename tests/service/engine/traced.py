"""The real engine with traces, in a process of its own: vLLM keeps one tracer for all its life.

    python -m tests.service.engine.traced BASE TRACES_URL TRACEPARENT

starts it on a tiny base, asks it one chat within the given trace, and ends.
"""

import asyncio
import sys
from pathlib import Path

from pydantic import JsonValue

from service.engine.hardware import base_facts, detect
from service.engine.profile import Wishes, choose
from service.engine.trace_headers import TRACE_HEADERS
from service.engine.vllm_engine import VllmEngine


async def ask(base: Path, traces_url: str, traceparent: str) -> None:
    wishes = Wishes(max_docked=2, max_rank=16, kv_cache_bytes=32 << 20)
    settings = choose(detect(), base_facts(base), wishes).settings
    engine = VllmEngine(base, "tiny", settings, None, traces_url)
    await engine.start()
    TRACE_HEADERS.set({"traceparent": traceparent})
    messages: list[JsonValue] = [{"role": "user", "content": "a b"}]
    await engine.complete({"prompt": "a b", "max_tokens": 3}, None, "one")
    await engine.chat({"messages": messages, "max_tokens": 3}, None, "two")
    await engine.stop()


if __name__ == "__main__":
    asyncio.run(ask(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
