"""How a benchmark asks a worker for a batch, and what speeds follow."""

from pathlib import Path

from benchmarks import _random_adapters
from benchmarks._children import Answer, Child
from benchmarks.engine.work import Batch, Took

# On a GPU an engine compiles and captures its graphs first.
READY_TIMEOUT_S, CASE_TIMEOUT_S = 600.0, 120.0
RANK = 16
PROMPT_TOKENS = 32


def make_adapters(base: Path, place: Path, count: int) -> list[Path]:
    """Random adapters on every linear layer."""
    return [
        _random_adapters.write(place / f"adapter-{seed}", base, seed=seed, rank=RANK, targets=None)
        for seed in range(1, count + 1)
    ]


def ask(child: Child, batch: Batch) -> Took:
    """Have a worker do a batch.

    Raises:
        BenchmarkError: It ended, or did not answer in time.
    """
    return Took(**numbers(child.ask(batch._asdict(), CASE_TIMEOUT_S)))


def numbers(answer: Answer) -> dict[str, float]:
    """An answer whose values are all seconds."""
    return {name: value for name, value in answer.items() if isinstance(value, float)}


def decode_speed(batch: Batch, took: Took) -> float:
    """Tokens per second of all answers, from the last of the first tokens on."""
    return len(batch.who) * (batch.answer_tokens - 1) / took.rest_s


def prefill_speed(batch: Batch, took: Took) -> float:
    """Tokens per second of all prompts, up to the last of the first tokens."""
    return len(batch.who) * batch.prompt_tokens / took.first_s
