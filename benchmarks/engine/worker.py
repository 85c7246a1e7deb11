"""One engine in a process of its own: `python -m benchmarks.engine.worker KIND BASE ADAPTER...`.

KIND is `ours`, the engine of the service as it starts without a flag, or `stock`: vLLM as
installed, with LoRA switched on and nothing else of ours. Told by lines what to do, see `work`.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from adapters.manifest import PromptForm
from basemodels.modules import read_config
from benchmarks._children import own_output, say
from benchmarks.engine.work import Batch, take
from service.engine.hardware import base_facts, detect
from service.engine.profile import EngineSettings, Wishes, choose
from service.engine.protocol import DockedAdapter

MAX_DOCKED = 4
# On a GPU two engines and the matrices lie in its memory at once.
GPU_SHARE = 0.35


class Speaking(Protocol):
    """An engine that answers."""

    async def start(self, base: Path, adapters: list[Path]) -> None:
        """Load everything."""

    def speak(
        self, ids: list[int], adapter: int, tokens: int, request_id: str
    ) -> AsyncIterator[object]:
        """Stream an answer of so many tokens by an adapter, 1 and up, or by the base, 0."""

    async def stop(self) -> None:
        """End its processes."""


def settings_for(base: Path, adapters: int = MAX_DOCKED) -> EngineSettings:
    """What the service chooses for a base on this machine, if it is to hold so many adapters."""
    wishes = Wishes(max_docked=adapters, memory_fraction=GPU_SHARE)
    return choose(detect(), base_facts(base), wishes).settings


class Ours:
    """Through the wrapper that the service uses."""

    async def start(self, base: Path, adapters: list[Path]) -> None:
        """See `Speaking`."""
        from service.engine.vllm_engine import VllmEngine  # noqa: PLC0415 - loads vLLM

        self._engine = VllmEngine(base, base.name, settings_for(base, len(adapters)))
        await self._engine.start()
        self._adapters = [
            DockedAdapter(f"{path.name}@{number}", number, path, PromptForm())
            for number, path in enumerate(adapters, start=1)
        ]
        for adapter in self._adapters:
            await self._engine.dock(adapter)

    async def speak(
        self, ids: list[int], adapter: int, tokens: int, request_id: str
    ) -> AsyncIterator[object]:
        """See `Speaking`."""
        whose = self._adapters[adapter - 1] if adapter else None
        chunks = await self._engine.complete(
            {
                "prompt": [*ids],
                "max_tokens": tokens,
                "temperature": 0,
                "ignore_eos": True,
                "stream": True,
            },
            whose,
            request_id,
        )
        assert not isinstance(chunks, dict)  # noqa: S101 - a stream was asked for
        async for chunk in chunks:
            yield chunk

    async def stop(self) -> None:
        """See `Speaking`."""
        await self._engine.stop()


class Stock:
    """vLLM's own engine. Only its memory is set, since it refuses a machine or a card in use."""

    async def start(self, base: Path, adapters: list[Path]) -> None:
        """See `Speaking`."""
        from vllm.engine.arg_utils import AsyncEngineArgs  # noqa: PLC0415 - as above
        from vllm.lora.request import LoRARequest  # noqa: PLC0415
        from vllm.v1.engine.async_llm import AsyncLLM  # noqa: PLC0415

        settings = settings_for(base)
        limits = {
            "kv_cache_memory_bytes": settings.kv_cache_bytes,
            "gpu_memory_utilization": settings.memory_fraction,
        }
        arguments = AsyncEngineArgs(
            model=str(base),
            enable_lora=True,
            **{name: value for name, value in limits.items() if value is not None},
        )
        self._llm = AsyncLLM.from_engine_args(arguments)
        # It holds one adapter at a time by default, so only the first is asked for.
        self._adapter = LoRARequest(adapters[0].name, 1, str(adapters[0]))

    async def speak(
        self, ids: list[int], adapter: int, tokens: int, request_id: str
    ) -> AsyncIterator[object]:
        """See `Speaking`."""
        from vllm import SamplingParams  # noqa: PLC0415 - loads vLLM

        sampling = SamplingParams(max_tokens=tokens, temperature=0, ignore_eos=True)
        request = self._adapter if adapter else None
        async for output in self._llm.generate(
            {"prompt_token_ids": ids}, sampling, request_id, lora_request=request
        ):
            yield output

    async def stop(self) -> None:
        """See `Speaking`."""
        self._llm.shutdown()


async def serve(engine: Speaking, base: Path, adapters: list[Path]) -> None:
    """Start an engine and do what the lines say until they end."""
    answers = own_output()
    await engine.start(base, adapters)
    vocabulary = read_config(base)["vocab_size"]
    assert isinstance(vocabulary, int)  # noqa: S101 - the engine has read it as one
    say(answers, {"ready": True})
    while line := await asyncio.to_thread(sys.stdin.readline):
        took = await take(Batch(**json.loads(line)), engine.speak, vocabulary)
        say(answers, took._asdict())
    await engine.stop()


def environment(kind: str) -> dict[str, str]:
    """For this process: nothing that was set for vLLM here before, and no plugin in `stock`."""
    foreign = ("VLLM_", "OMP_", "GOMP_", "TORCH_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    quiet = {
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_LOGGING_LEVEL": "WARNING",
    }
    return {**kept, **quiet, **({"VLLM_PLUGINS": ""} if kind == "stock" else {})}


if __name__ == "__main__":
    kinds: dict[str, type[Speaking]] = {"ours": Ours, "stock": Stock}
    asyncio.run(serve(kinds[sys.argv[1]](), Path(sys.argv[2]), [*map(Path, sys.argv[3:])]))
