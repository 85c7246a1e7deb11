"""How well published `pseudocode` adapters solve: by question set and by what solving adds.

It asks the service at `--url`, or starts one on the usual settings (`LORADOCK_BASE`,
`LORADOCK_STORE`, ...). The verifier's mode is left out where there is no verifier.
"""

import argparse
import asyncio
import contextlib
import math
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
from llguidance import LLMatcher, LLTokenizer, grammar_from

from adapters.errors import AdapterError
from adapters.layout import default_root
from adapters.store import Store
from benchmarks import _texts
from benchmarks._curves import SUFFIXES, write_curves
from benchmarks._intervals import Interval, Point, risk_coverage, threshold_for
from benchmarks._questions import SETS, Asked, question_sets, with_another_number
from benchmarks._solving import MODES, Mode, Solved, solve_all
from benchmarks._tallies import CONCURRENT, Tally, Told
from benchmarks.errors import BenchmarkError
from benchmarks.figures import Figure
from configuration.arguments import positive
from demo.processes import running_server
from pseudocode.grounding import grounded_grammar
from service.solving.attempts import Draft, examine
from service.solving.options import SolvingRules
from service.solving.voting import decide

RISKS = (0.1, 0.2)
NO_RULES = SolvingRules("", 0.0, 0.0)


@dataclass
class Found:
    """What was measured: figures, and the risk-coverage curve of every set and mode with votes."""

    figures: list[Figure] = field(default_factory=list)
    curves: dict[str, list[Point]] = field(default_factory=dict)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's flags."""
    parser.add_argument("--url", help="the service [default: one is started]")
    parser.add_argument(
        "--models",
        nargs="+",
        default=["pseudocode"],
        metavar="NAME",
        help="adapters to compare: target forms, numbers of worked examples, ... [pseudocode]",
    )
    parser.add_argument(
        "--cot-adapter", metavar="NAME", help="a text chain-of-thought adapter of the same base"
    )
    parser.add_argument(
        "--limit", type=positive, default=100, metavar="N", help="questions of each set [100]"
    )
    parser.add_argument(
        "--sets",
        nargs="+",
        choices=SETS,
        default=SETS,
        metavar="NAME",
        help=f"which questions, of {', '.join(SETS)} [all whose files are there]",
    )
    parser.add_argument(
        "--plot",
        type=_picture,
        metavar="FILE",
        help="draw the risk-coverage curves, .svg or .png; their points go to FILE's name with .json",
    )


def _picture(text: str) -> Path:
    if Path(text).suffix not in SUFFIXES:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a name in {' or '.join(SUFFIXES)}")
    return Path(text)


def run(
    *,
    url: str | None = None,
    models: Sequence[str] = ("pseudocode",),
    cot_adapter: str | None = None,
    limit: int = 100,
    sets: Sequence[str] = SETS,
    plot: Path | None = None,
) -> list[Figure]:
    """Measure everything that the adapters in the store allow.

    Raises:
        BenchmarkError: A service is to be started, and its store has no such adapter.
    """
    if url is None:
        for model in (*models, *([cot_adapter] if cot_adapter else [])):
            _require(model)
    asked = {name: found for name, found in question_sets(limit).items() if name in sets}
    with _service(url) as served:
        found = asyncio.run(measure(served, models, asked, cot_adapter))
    if plot is not None:
        write_curves(plot, found.curves)
    return found.figures


def _require(model: str) -> None:
    """Look for the adapter before a service is started for it."""
    root = default_root()
    try:
        Store(root).resolve(model)
    except AdapterError as error:
        raise BenchmarkError(
            f"{model} cannot be measured: {error} The store is {root}; name another by "
            "LORADOCK_STORE, or a service by --url."
        ) from error


@contextlib.contextmanager
def _service(url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    with (
        tempfile.TemporaryDirectory(prefix="loradock-solving-") as folder,
        running_server([], Path(folder) / "service.log", leave=False) as server,
    ):
        yield server.url


async def measure(
    url: str,
    models: Sequence[str],
    sets: Mapping[str, Sequence[Asked]],
    cot_adapter: str | None = None,
) -> Found:
    """Ask every set in every mode and make the table.

    Args:
        url: The service.
        models: Solvers; with several, each figure says whose it is.
        sets: Questions.
        cot_adapter: A chain-of-thought adapter to compare with.
    """
    found = Found()
    written: list[tuple[str, str]] = []
    async with httpx.AsyncClient(base_url=url, headers=_headers()) as client:
        for name, questions in sets.items():
            if cot_adapter is not None:
                told = await _texts.chains(client, cot_adapter, questions)
                found.figures += _counted(f"{name}, chain of thought in text", told)
            for model in models:
                label = f"{model}: {name}" if len(models) > 1 else name
                told = await _texts.simulated(client, model, questions)
                found.figures += _counted(f"{label}, simulated by the model", told)
                written += await _solve(client, model, label, questions, found)
    found.figures += _costs(written)
    return found


async def _solve(
    client: httpx.AsyncClient,
    model: str,
    label: str,
    questions: Sequence[Asked],
    found: Found,
) -> list[tuple[str, str]]:
    """Solve one set with one model in every mode; return the questions with their programs."""
    written: list[tuple[str, str]] = []
    for mode in MODES:
        if mode.fields.get("verify") and not await _judges(client):
            continue
        solved = await solve_all(client, model, questions, mode)
        found.figures += figures_of(label, mode, solved)
        written += [(asked.text, solution.program) for asked, solution in solved.solutions]
        if mode.fields.get("samples"):
            curve = risk_coverage(solved.confidences(), len(questions))
            found.curves[f"{label}, {mode.name}"] = curve
            found.figures += _risks(f"{label}, {mode.name}", mode, curve)
        if mode.name == "+ grounded":
            found.figures += await _counterfactual(client, model, label, mode, solved.tally)
            found.figures += _by_family(label, solved.tally)
    return written


def _headers() -> dict[str, str]:
    key = os.environ.get("LORADOCK_API_KEY")
    return {"authorization": f"Bearer {key}"} if key else {}


async def _judges(client: httpx.AsyncClient) -> bool:
    return (await client.get("/v1/models/pseudocode-verifier")).status_code == httpx.codes.OK


def _counted(label: str, tally: Tally) -> list[Figure]:
    """The row of a set, however it was answered."""
    asked, note = len(tally.told), f"{CONCURRENT} at a time"
    return [
        _share(f"{label}: right", tally.right, asked),
        _share(f"{label}: abstained", tally.abstained, asked),
        _share(f"{label}: right of those answered", tally.selective, tally.answered),
        Figure(f"{label}: tokens per answered question", tally.tokens, "tokens"),
        Figure(f"{label}: time per answered question", tally.milliseconds, "ms", note=note),
    ]


def figures_of(label: str, mode: Mode, solved: Solved) -> list[Figure]:
    """The row of a set and a mode."""
    label = f"{label}, {mode.name}"
    executed = _share(f"{label}: executed", solved.executed, len(solved.solutions))
    return [executed, *_counted(label, solved.tally)]


def _share(name: str, interval: Interval, trials: int) -> Figure:
    note = f"95 %: {interval}; n = {trials}"
    return Figure(name, 100 * interval.share, "%", note=note)


def _risks(label: str, mode: Mode, curve: Sequence[Point]) -> list[Figure]:
    """How much may be answered if so many answers may be wrong, and from which setting on."""
    setting = "min_verifier_score" if mode.fields.get("verify") else "min_agreement"
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
    right = [told.asked for told in tally.told if told.right]
    changed = [other for other in map(with_another_number, right) if other is not None]
    if not changed:
        return []
    share = (await solve_all(client, model, changed, mode)).tally.right
    label = f"{name}: right again with one number changed"
    return [_share(label, share, len(changed))]


def _by_family(label: str, tally: Tally) -> list[Figure]:
    """What share of each family is right, the least first: where templates are missing."""
    families: dict[str, list[Told]] = defaultdict(list)
    for told in tally.told:
        if told.asked.family is not None:
            families[told.asked.family].append(told)
    parts = {name: Tally(part, 0.0) for name, part in families.items()}
    return [
        _share(f"{label}, family {name}: right", part.right, len(part.told))
        for name, part in sorted(parts.items(), key=lambda each: each[1].right.share)
    ]


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
            sorted(compiling)[math.ceil(0.95 * len(compiling)) - 1],
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
