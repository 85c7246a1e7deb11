"""How well a published `pseudocode` adapter solves: by question set and by what solving adds.

It asks the service at `BENCH_URL`, or starts one on the usual settings (`LORADOCK_BASE`,
`LORADOCK_STORE`, ...). `BENCH_MODEL` names the adapter [pseudocode], `BENCH_SIZE`
the questions of each set [100]. The verifier's mode is left out where there is no verifier.
"""

import asyncio
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import httpx
from llguidance import LLMatcher, LLTokenizer, grammar_from

from adapters.errors import AdapterError
from adapters.layout import default_root
from adapters.store import Store
from benchmarks._intervals import Interval, risk_coverage, threshold_for
from benchmarks._questions import DATA_VARIABLE, Asked, question_sets, with_another_number
from benchmarks._solving import CONCURRENT, MODES, Mode, Tally, solve_all
from benchmarks.errors import BenchmarkError
from benchmarks.figures import Figure
from demo.processes import running_server
from pseudocode.grounding import grounded_grammar
from service.solving.attempts import Draft, examine
from service.solving.options import SolvingRules
from service.solving.voting import decide

RISKS = (0.1, 0.2)
NO_RULES = SolvingRules("", 0.0, 0.0)


def run() -> list[Figure]:
    """Measure everything that the adapters in the store allow.

    Raises:
        BenchmarkError: A service is to be started, and its store has no such adapter.
    """
    size = int(os.environ.get("BENCH_SIZE", "100"))
    model = os.environ.get("BENCH_MODEL", "pseudocode")
    if "BENCH_URL" not in os.environ:
        _require(model)
    sets = question_sets(size)
    # A service takes no variable of this prefix that it does not know.
    os.environ.pop(DATA_VARIABLE, None)
    with _service() as url:
        return asyncio.run(measure(url, model, sets))


def _require(model: str) -> None:
    """Look for the adapter before a service is started for it."""
    root = default_root()
    try:
        Store(root).resolve(model)
    except AdapterError as error:
        raise BenchmarkError(
            f"{model} cannot be measured: {error} The store is {root}; name another by "
            "LORADOCK_STORE, or a service by BENCH_URL."
        ) from error


@contextlib.contextmanager
def _service() -> Iterator[str]:
    url = os.environ.get("BENCH_URL")
    if url:
        yield url
        return
    with (
        tempfile.TemporaryDirectory(prefix="loradock-solving-") as folder,
        running_server([], Path(folder) / "service.log", leave=False) as server,
    ):
        yield server.url


async def measure(url: str, model: str, sets: Mapping[str, Sequence[Asked]]) -> list[Figure]:
    """Ask every set in every mode and make the table."""
    found: list[Figure] = []
    written: list[tuple[str, str]] = []
    async with httpx.AsyncClient(base_url=url, headers=_headers()) as client:
        modes = [mode for mode in MODES if not mode.fields.get("verify") or await _judges(client)]
        for name, questions in sets.items():
            for mode in modes:
                tally = await solve_all(client, model, questions, mode)
                found += figures_of(name, mode, tally)
                written += [(asked.text, solution.program) for asked, solution in tally.solved]
                if mode.name == "+ grounded":
                    found += await _counterfactual(client, model, name, mode, tally)
    return [*found, *_costs(written)]


def _headers() -> dict[str, str]:
    key = os.environ.get("LORADOCK_API_KEY")
    return {"authorization": f"Bearer {key}"} if key else {}


async def _judges(client: httpx.AsyncClient) -> bool:
    return (await client.get("/v1/models/pseudocode-verifier")).status_code == httpx.codes.OK


def figures_of(name: str, mode: Mode, tally: Tally) -> list[Figure]:
    """The row of a set and a mode."""
    label = f"{name}, {mode.name}"
    asked = len(tally.solved)
    found = [
        _share(f"{label}: executed", tally.executed, asked),
        _share(f"{label}: right", tally.right, asked),
        _share(f"{label}: abstained", tally.abstained, asked),
        _share(f"{label}: right of those answered", tally.selective, len(tally.answered)),
        Figure(f"{label}: tokens per answered question", tally.tokens, "tokens"),
        Figure(
            f"{label}: time per answered question",
            tally.milliseconds,
            "ms",
            note=f"{CONCURRENT} at a time",
        ),
    ]
    return found + (_risks(label, mode, tally) if mode.fields.get("samples") else [])


def _share(name: str, interval: Interval, trials: int) -> Figure:
    note = f"95 %: {interval}; n = {trials}"
    return Figure(name, 100 * interval.share, "%", note=note)


def _risks(label: str, mode: Mode, tally: Tally) -> list[Figure]:
    """How much may be answered if so many answers may be wrong, and from which setting on."""
    setting = "min_verifier_score" if mode.fields.get("verify") else "min_agreement"
    curve = risk_coverage(tally.confidences(), len(tally.solved))
    found = []
    for risk in RISKS:
        point = threshold_for(curve, risk)
        note = "no threshold" if point is None else f"{setting} = {point.threshold:.2f}"
        coverage = 0.0 if point is None else 100 * point.coverage
        found.append(Figure(f"{label}: answered at {risk:.0%} wrong", coverage, "%", note=note))
    return found


async def _counterfactual(
    client: httpx.AsyncClient, model: str, name: str, mode: Mode, tally: Tally
) -> list[Figure]:
    """Of the questions answered right: the share still right once a number is changed."""
    right = [asked for asked, solution in tally.answered if solution.answer == asked.answer]
    changed = [other for other in map(with_another_number, right) if other is not None]
    if not changed:
        return []
    share = (await solve_all(client, model, changed, mode)).right
    label = f"{name}: right again with one number changed"
    return [_share(label, share, len(changed))]


def _costs(written: Sequence[tuple[str, str]]) -> list[Figure]:
    """What solving adds to generation, in this process, for what the model wrote."""
    checking = [_milliseconds(partial(_check, *pair)) for pair in written]
    tokenizer = LLTokenizer("byte")
    questions = dict.fromkeys(text for text, _ in written)
    compiling = [_milliseconds(partial(_compile, tokenizer, text)) for text in questions]
    return [
        Figure("solving adds", statistics.median(checking), "ms", note="median of programs"),
        Figure(
            "compiling a grounded grammar",
            statistics.quantiles(compiling, n=20)[-1],
            "ms",
            note="95th percentile of questions",
        ),
    ]


def _milliseconds(action: Callable[[], object]) -> float:
    started_s = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - started_s)


def _check(question: str, program: str) -> None:
    decide([examine(Draft(program, "stop"), question, None)], {}, NO_RULES)


def _compile(tokenizer: LLTokenizer, question: str) -> None:
    LLMatcher(tokenizer, grammar_from("grammar", grounded_grammar(question))).compute_bitmask()
