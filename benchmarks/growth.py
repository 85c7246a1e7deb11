"""How the engine's speed grows: with requests at once, with adapters in a batch, with the prompt's length."""

import argparse
import tempfile
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

from basemodels import resolve
from benchmarks._children import Child, running
from benchmarks._servers import BASE
from benchmarks.engine.asking import (
    PROMPT_TOKENS,
    READY_TIMEOUT_S,
    ask,
    decode_speed,
    make_adapters,
    prefill_speed,
)
from benchmarks.engine.work import Batch
from benchmarks.engine.worker import environment
from benchmarks.figures import Figure, Sweep


class Ways(NamedTuple):
    """How far each sweep goes.

    Attributes:
        requests: At once.
        adapters: That share the requests of one batch.
        prompts: Tokens of one prompt.
        answer_tokens: Of each request, where answers are timed.
    """

    requests: tuple[int, ...]
    adapters: tuple[int, ...]
    prompts: tuple[int, ...]
    answer_tokens: int


FULL = Ways((1, 2, 4, 8, 16, 32), (1, 4, 16, 64), (32, 128, 512, 1024, 2000), 24)
QUICK = Ways((1, 4), (1, 4), (32, 128), 6)
# On disk; the engine holds each of them many times, as adapters of their own.
DIFFERENT = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What this benchmark can be told beside what all can."""
    parser.add_argument(
        "--base", default=BASE, help=f"base model, as the service takes it [{BASE}]"
    )
    parser.add_argument("--quick", action="store_true", help="only the beginnings")


def run(*, base: str = BASE, quick: bool = False) -> list[Figure]:
    """Measure on a base model.

    Raises:
        BaseModelError: There is no such base.
        BenchmarkError: The engine did not start, or did not answer in time.
    """
    ways = QUICK if quick else FULL
    with tempfile.TemporaryDirectory(prefix="loradock-growth-") as name:
        directory, place = resolve(base), Path(name)
        adapters = cycle(make_adapters(directory, place, DIFFERENT))
        docked = [str(path) for path in islice(adapters, max(ways.adapters))]
        arguments = ["ours", str(directory), *docked]
        log = place / "log"
        with running("benchmarks.engine.worker", arguments, log, environment("ours")) as child:
            child.answer(READY_TIMEOUT_S)
            return [*sweep(child, ways)]


def sweep(child: Child, ways: Ways) -> Iterator[Figure]:
    """Go all ways, each after one batch that warms the engine."""
    tokens = ways.answer_tokens
    ask(child, Batch([0] * max(ways.requests), PROMPT_TOKENS, tokens, seed=0))
    for place, count in enumerate(ways.requests):
        for whose, who in (("base", 0), ("one adapter", 1)):
            batch = Batch([who] * count, PROMPT_TOKENS, tokens, seed=100 + 2 * place + who)
            speed = decode_speed(batch, ask(child, batch))
            yield _figure(whose, "requests at once", count, speed)
    together = max(ways.adapters)
    for place, count in enumerate(ways.adapters):
        shared = [number % count + 1 for number in range(together)]
        batch = Batch(shared, PROMPT_TOKENS, tokens, seed=200 + place)
        took = ask(child, batch)
        speed = together * tokens / (took.first_s + took.rest_s)
        yield _figure(f"{together} requests", "adapters among them", count, speed)
    for place, length in enumerate(ways.prompts):
        for whose, who in (("base", 0), ("one adapter", 1)):
            batch = Batch([who], length, 1, seed=300 + 2 * place + who)
            speed = prefill_speed(batch, ask(child, batch))
            yield _figure(whose, "tokens of a prompt", length, speed)


def _figure(series: str, along: str, at: int, speed: float) -> Figure:
    return Figure(f"{series}, {at} {along}", speed, "tokens/s", sweep=Sweep(series, along, at))
