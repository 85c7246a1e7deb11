"""The table: each case on each engine in turn, round by round, and the ratios of every round.

A machine in use slows the engines of one round alike, so ratios are judged and seconds are not.
"""

import argparse
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from basemodels import resolve
from benchmarks._children import Child, running
from benchmarks._servers import BASE
from benchmarks.engine.asking import (
    CASE_TIMEOUT_S,
    PROMPT_TOKENS,
    READY_TIMEOUT_S,
    ask,
    decode_speed,
    make_adapters,
    numbers,
    prefill_speed,
)
from benchmarks.engine.profiling import breakdown
from benchmarks.engine.work import Batch
from benchmarks.engine.worker import MAX_DOCKED, environment, settings_for
from benchmarks.figures import Figure

LONG_PROMPT_TOKENS = 900


@dataclass(frozen=True)
class Case:
    """What one engine does in a round.

    Attributes:
        engine: The process: "ours", "stock" or "matrices".
        who: As in `work.Batch`.
        prompt_tokens: More than `PROMPT_TOKENS` is a prefill, whose answer is one token.
    """

    engine: str
    who: tuple[int, ...]
    prompt_tokens: int = PROMPT_TOKENS


BASE_8 = Case("ours", (0,) * 8)
ADAPTER_8 = Case("ours", (1,) * 8)
MIXED_8 = Case("ours", (1, 2, 3, 4) * 2)
BASE_16 = Case("ours", (0,) * 16)
BASE_LONG = Case("ours", (0,), LONG_PROMPT_TOKENS)
ADAPTER_LONG = Case("ours", (1,), LONG_PROMPT_TOKENS)
STOCK_BASE_8 = Case("stock", (0,) * 8)
STOCK_ADAPTER_8 = Case("stock", (1,) * 8)
MATRICES_16 = Case("matrices", (0,) * 16)
RATIOS = {
    "adapter / base, decode at 8": (ADAPTER_8, BASE_8),
    "four adapters mixed / base, decode at 8": (MIXED_8, BASE_8),
    "adapter / base, prefill of 900 tokens": (ADAPTER_LONG, BASE_LONG),
    "ours / vLLM as installed, base at 8": (BASE_8, STOCK_BASE_8),
    "ours / vLLM as installed, one adapter at 8": (ADAPTER_8, STOCK_ADAPTER_8),
    "base at 16 / its matrices alone": (BASE_16, MATRICES_16),
}


@dataclass(frozen=True)
class Size:
    """How long everything takes.

    Attributes:
        rounds: That count; one before them warms everything.
        tokens: Of each answer, by engine; steps of the matrices.
    """

    rounds: int
    tokens: dict[str, int]


FULL = Size(5, {"ours": 48, "stock": 20, "matrices": 20})
QUICK = Size(2, {"ours": 16, "stock": 6, "matrices": 8})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What this benchmark can be told beside what all can."""
    parser.add_argument(
        "--base", default=BASE, help=f"base model, as the service takes it [{BASE}]"
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds, three minutes at most")
    parser.add_argument(
        "--profile",
        action="store_true",
        help="instead: where a decode step's time goes, written to docs/performance.md",
    )


def run(*, base: str = BASE, quick: bool = False, profile: bool = False) -> list[Figure]:
    """Measure on a base model.

    Raises:
        BaseModelError: There is no such base.
        BenchmarkError: An engine did not start, or did not answer in time.
    """
    with tempfile.TemporaryDirectory(prefix="loradock-engine-") as name:
        directory, place = resolve(base), Path(name)
        adapters = make_adapters(directory, place, MAX_DOCKED)
        if profile:
            return breakdown(directory, adapters, place, quick=quick)
        return compare(directory, adapters, place, QUICK if quick else FULL)


def compare(base: Path, adapters: Sequence[Path], place: Path, size: Size) -> list[Figure]:
    """Run all cases in all rounds and make the figures."""
    with ExitStack() as stack:
        children = _start(stack, base, adapters, place)
        speeds: defaultdict[Case, list[float]] = defaultdict(list)
        for number in range(size.rounds + 1):
            for order, case in enumerate(_in_order(number)):
                seed = 100 * number + order
                speed = _speed(children[case.engine], case, size.tokens[case.engine], seed)
                if number:
                    speeds[case].append(speed)
    return figures(speeds)


def _start(stack: ExitStack, base: Path, adapters: Sequence[Path], place: Path) -> dict[str, Child]:
    settings = settings_for(base)
    paths = [str(base), *map(str, adapters)]
    matrices = [str(base), settings.dtype, str([*settings.cores])]
    children = {}
    # One after another: an engine that starts beside another takes its memory into account.
    for name, module, arguments in (
        ("ours", "benchmarks.engine.worker", ["ours", *paths]),
        ("stock", "benchmarks.engine.worker", ["stock", *paths]),
        ("matrices", "benchmarks.engine.matmuls", matrices),
    ):
        log = place / f"{name}.log"
        children[name] = stack.enter_context(running(module, arguments, log, environment(name)))
        children[name].answer(READY_TIMEOUT_S)
    return children


def _in_order(number: int) -> list[Case]:
    """All cases, those of a ratio near each other, and backwards every second time."""
    cases = [*dict.fromkeys(case for pair in RATIOS.values() for case in pair)]
    return cases if number % 2 else cases[::-1]


def _speed(child: Child, case: Case, tokens: int, seed: int) -> float:
    """Tokens per second, of prompts for a prefill and of answers for a decode."""
    if case.engine == "matrices":
        took = numbers(child.ask({"rows": len(case.who), "steps": tokens}, CASE_TIMEOUT_S))
        return len(case.who) / took["step_s"]
    prefill = case.prompt_tokens > PROMPT_TOKENS
    batch = Batch([*case.who], case.prompt_tokens, 1 if prefill else tokens, seed)
    speed = prefill_speed if prefill else decode_speed
    return speed(batch, ask(child, batch))


def figures(speeds: dict[Case, list[float]]) -> list[Figure]:
    """The ratios, medians over the rounds, and the speeds that they are of."""
    return [*_ratios(speeds), *_speeds(speeds)]


def _ratios(speeds: dict[Case, list[float]]) -> Iterator[Figure]:
    for name, (above, below) in RATIOS.items():
        ratios = [one / other for one, other in zip(speeds[above], speeds[below], strict=True)]
        note = f"median of {len(ratios)} rounds, {min(ratios):.2f} to {max(ratios):.2f}"
        yield Figure(name, statistics.median(ratios), "", note=note)


def _speeds(speeds: dict[Case, list[float]]) -> Iterator[Figure]:
    for case, found in speeds.items():
        kind = "prefill" if case.prompt_tokens > PROMPT_TOKENS else "decode"
        adapters = len({*case.who} - {0})
        whose = {0: "base", 1: "one adapter"}.get(adapters, f"{adapters} adapters")
        name = f"{case.engine}, {whose}, {kind} at {len(case.who)}"
        note = f"{min(found):.1f} to {max(found):.1f}"
        yield Figure(name, statistics.median(found), "tokens/s", note=note)
