"""Decode steps of our engine, in one process with a stopwatch: `python -m benchmarks.engine.stepping BASE ADAPTER...`.

Told by lines `{"who": [...], "steps": N}`, answers with each part's seconds per step. What passes
between processes is not here: `profiling` takes it from the difference to the whole engine.
"""

import json
import os
import random
import sys
from pathlib import Path

from vllm import SamplingParams
from vllm.lora.request import LoRARequest
from vllm.v1.engine.llm_engine import LLMEngine

from benchmarks._children import own_output, say
from benchmarks.engine.asking import PROMPT_TOKENS
from benchmarks.engine.stopwatch import Stopwatch
from benchmarks.engine.work import random_prompt
from benchmarks.engine.worker import settings_for
from service.engine.launching import engine_args, prepare_environment

# Each batch begins with steps that read prompts.
WARM_STEPS = 4


def start(base: Path, adapters: int) -> LLMEngine:
    """Start the engine of the service in this process."""
    settings = settings_for(base, adapters)
    prepare_environment(settings)
    # For this process alone, which is no engine's child.
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    return LLMEngine.from_engine_args(engine_args(base, base.name, settings))


def steps(
    engine: LLMEngine, requests: list[LoRARequest | None], count: int, watch: Stopwatch, name: str
) -> dict[str, float]:
    """Seconds of each part for one step."""
    chance = random.Random(name)  # noqa: S311 - prompts, not secrets
    sampling = SamplingParams(max_tokens=WARM_STEPS + count + 8, temperature=0, ignore_eos=True)
    vocabulary = engine.model_config.get_vocab_size()
    ids = [f"{name}-{number}" for number in range(len(requests))]
    for request_id, request in zip(ids, requests, strict=True):
        prompt = random_prompt(chance, vocabulary, PROMPT_TOKENS)
        engine.add_request(request_id, {"prompt_token_ids": prompt}, sampling, lora_request=request)
    for _ in range(WARM_STEPS):
        engine.step()
    watch.seconds.clear()
    for _ in range(count):
        engine.step()
    found = {part: seconds / count for part, seconds in watch.seconds.items()}
    engine.abort_request(ids)
    return found


def main(base: Path, adapters: list[Path]) -> None:
    """Do what the lines say until they end."""
    answers = own_output()
    watch = Stopwatch()
    engine = start(base, len(adapters))
    watch.watch()
    requests = [
        LoRARequest(path.name, number, str(path)) for number, path in enumerate(adapters, 1)
    ]
    for request in requests:
        engine.add_lora(request)
    say(answers, {"ready": True})
    for number, line in enumerate(iter(sys.stdin.readline, "")):
        asked = json.loads(line)
        who = [requests[adapter - 1] if adapter else None for adapter in asked["who"]]
        say(answers, steps(engine, who, asked["steps"], watch, str(number)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [*map(Path, sys.argv[2:])])
