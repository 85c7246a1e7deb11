"""`python -m tests.service.engine.host DIR`: a process that runs an engine until it is killed.

Writes the ids of the processes below it, and is busy answering when it has written them.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from service.engine.hardware import base_facts, detect
from service.engine.profile import Wishes, choose
from service.engine.protocol import JSON


def descendants(pid: int) -> list[int]:
    """All processes below one, but for multiprocessing's tracker of leaked objects."""
    children = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        children += [int(child) for child in tasks.read_text().split()]
    below = [found for child in children for found in (child, *descendants(child))]
    return [
        child
        for child in below
        if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


async def run(base_dir: Path) -> None:
    from service.engine.vllm_engine import VllmEngine

    profile = choose(detect(), base_facts(base_dir), Wishes(max_docked=2, max_rank=16))
    engine = VllmEngine(base_dir, "tiny", profile.settings)
    await engine.start()
    body: JSON = {"prompt": "x", "max_tokens": 400, "ignore_eos": True, "stream": True}
    stream = await engine.complete(body, None, "busy")
    assert not isinstance(stream, dict)
    sys.stdout.write(json.dumps(descendants(os.getpid())) + "\n")
    sys.stdout.flush()
    async for _ in stream:
        pass
    await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
