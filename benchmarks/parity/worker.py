"""One architecture in a process of its own: `python -m benchmarks.parity.worker ARCHITECTURE DTYPE`.

Prints one JSON object: for each condition the largest difference of a log-probability from PEFT's
in float32, and how often the most probable token differed; and how many CUDA graphs were captured.
"""

import json
import math
import random
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from vllm import LLM, SamplingParams
from vllm.compilation.counter import compilation_counter
from vllm.lora.request import LoRARequest
from vllm.platforms import current_platform

from benchmarks.goals import PARITY_BF16_NAT
from benchmarks.parity import models

PROMPT_LENGTHS = (1, 2, 7, 33, 64, 129, 300)
ANSWER_TOKENS = 4
# Shorter than most prompts, so that they are read in several steps.
TOKENS_A_STEP = 96
SWAPS = 50
MAX_DOCKED = 4
# Two tokens whose log-probabilities are this near may change places by rounding.
TIE_NAT = {"float32": 1e-4, "bfloat16": PARITY_BF16_NAT}
# The models are tiny; on a card in use the rest is somebody else's.
GPU_SHARE = 0.3


@dataclass
class Worst:
    """The largest difference of one condition so far, and the smallest effect of an adapter."""

    difference: float = 0.0
    least_effect: float = math.inf
    other_top: int = 0
    compared: int = 0


@dataclass(frozen=True)
class Case:
    """A prompt for a version: 0 is the base, 1 and up are the adapters."""

    ids: list[int]
    adapter: int


class Bench:
    """An engine with adapters, beside PEFT's answers for each of them."""

    def __init__(self, folder: Path, architecture: str, dtype: str) -> None:
        base = models.make_base(folder / "base", architecture)
        self._adapters = [
            models.make_adapter(folder / f"adapter-{place}", base, shape, seed=place)
            for place, shape in enumerate(models.SHAPES, start=1)
        ]
        # In a process of its own: vLLM changes the classes of transformers where it is loaded.
        self._peft = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        self._base = base
        self._tie_nat = TIE_NAT[dtype]
        self._next_id = 1
        self._ids: dict[int, int] = {}
        self._llm = LLM(
            model=str(base),
            dtype=dtype,
            enable_lora=True,
            max_loras=MAX_DOCKED,
            max_cpu_loras=MAX_DOCKED,
            max_lora_rank=64,
            max_model_len=models.CONTEXT_TOKENS,
            max_num_batched_tokens=TOKENS_A_STEP,
            max_num_seqs=16,
            max_logprobs=5,
            enable_chunked_prefill=True,
            enable_prefix_caching=True,
            # As the service has it: captured graphs on a GPU, nothing of the kind on a CPU.
            enforce_eager=not current_platform.is_cuda(),
            gpu_memory_utilization=GPU_SHARE,
            kv_cache_memory_bytes=256 << 20,
            disable_log_stats=True,
        )
        for place in range(1, len(self._adapters) + 1):
            self._dock(place)

    def swap(self, times: int) -> None:
        """Take adapters out and dock them again under new ids."""
        for turn in range(times):
            place = turn % len(self._adapters) + 1
            self._llm.llm_engine.remove_lora(self._ids.pop(place))
            self._dock(place)

    def compare(self, batches: Sequence[Sequence[Case]], *, prompts: bool = False) -> Worst:
        """Answer batches and compare each answered token with PEFT, and prompts where asked."""
        worst = Worst()
        sampling = SamplingParams(
            max_tokens=ANSWER_TOKENS,
            temperature=0.0,
            logprobs=2,
            prompt_logprobs=1 if prompts else None,
            ignore_eos=True,
        )
        for batch in batches:
            answers = self._llm.generate(
                [{"prompt_token_ids": case.ids} for case in batch],
                sampling,
                lora_request=[self._request(case.adapter) for case in batch],
                use_tqdm=False,
            )
            for case, answer in zip(batch, answers, strict=True):
                self._judge(case, answer, worst)
        return worst

    def _judge(self, case: Case, answer: Any, worst: Worst) -> None:  # noqa: ANN401 - vLLM's
        completion = answer.outputs[0]
        ids = [*case.ids, *completion.token_ids]
        adapter = None if case.adapter == 0 else self._adapters[case.adapter - 1]
        expected = self._peft.submit(models.expected, self._base, adapter, ids).result()
        if adapter is not None:
            plain = self._peft.submit(models.expected, self._base, None, ids).result()
            effect = float(abs(expected - plain).max())
            worst.least_effect = min(worst.least_effect, effect)
        given = [*(answer.prompt_logprobs or [None] * len(case.ids)), *completion.logprobs]
        for place, logprobs in enumerate(given):
            if not logprobs:
                continue
            right = expected[place - 1]
            top = max(logprobs, key=lambda token: logprobs[token].logprob)
            if right.max() - right[top] > self._tie_nat:
                worst.other_top += 1
            for token, found in logprobs.items():
                difference = abs(found.logprob - right[token])
                worst.difference = max(worst.difference, float(difference))
                worst.compared += 1

    def _dock(self, place: int) -> None:
        self._ids[place] = self._next_id
        name = f"adapter@{self._next_id}"
        request = LoRARequest(name, self._next_id, str(self._adapters[place - 1]))
        self._llm.llm_engine.add_lora(request)
        self._next_id += 1

    def _request(self, place: int) -> LoRARequest | None:
        if place == 0:
            return None
        number = self._ids[place]
        return LoRARequest(f"adapter@{number}", number, str(self._adapters[place - 1]))


def conditions(bench: Bench) -> dict[str, Worst]:
    """Run every condition on one engine."""
    draw = random.Random(3)  # noqa: S311  # data, not secrets

    def prompt(length: int) -> list[int]:
        return [draw.randint(3, 258) for _ in range(length)]

    lengths = PROMPT_LENGTHS
    everyone = range(len(models.SHAPES) + 1)
    alone = [[Case(prompt(length), place)] for place in everyone for length in lengths]
    mixed = [[Case(prompt(length), place) for place in everyone] for length in lengths]
    mixed += [[Case(prompt(draw.choice(lengths)), place) for place in everyone for _ in range(3)]]
    shared = prompt(200)
    cached = [[Case([*shared, *prompt(9)], place) for place in everyone] for _ in range(3)]
    found = {
        "alone": bench.compare(alone),
        "mixed with base and three others": bench.compare(mixed),
        "every prompt token, read in pieces": bench.compare(mixed, prompts=True),
        "shared prefix from the cache": bench.compare(cached),
    }
    bench.swap(SWAPS)
    found[f"mixed, after {SWAPS} swaps"] = bench.compare(mixed)
    return found


def main() -> int:
    """Run one architecture and print what was found."""
    with tempfile.TemporaryDirectory() as folder:
        found = conditions(Bench(Path(folder), *sys.argv[1:]))
        answer = {
            "conditions": {name: vars(worst) for name, worst in found.items()},
            "captured_graphs": compilation_counter.num_cudagraph_captured,
        }
    sys.stdout.write(f"{json.dumps(answer)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
