"""The tour itself, from rows to a swapped adapter, top to bottom."""

import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

import pseudocode
from adapters.store import Store
from demo import held_out, report
from demo.processes import memory_watch, run_module, running_server
from demo.service_metrics import read_timing
from demo.swap import SwapReport, swap_under_load
from training.problems import Language, Problem, Split, generate, write_problems

BASE = "smollm2-135m-instruct"
ADAPTER = "pseudocode"
RECIPE = Path(__file__).parents[1] / "training" / "recipes" / "pseudocode-smollm2-135m.yaml"
# The everyday families: one to three operations on things that are gained, lost, shared, compared.
# A model of this size learns them in minutes; all 35 families take longer than a tour may.
FAMILIES = {
    *("gain", "loss", "gain-loss", "combine", "difference", "missing-part"),
    *("compare-more", "compare-fewer", "groups", "groups-plus", "grouping", "share", "unit-price"),
}
# Rows of each version's training; version 2 continues from version 1.
FIRST_ROWS: dict[Language, int] = {"en": 200, "zh": 40}
OTHER_ROWS: dict[Language, int] = {"en": 1300, "zh": 260}
HELD_OUT: dict[Language, int] = {"en": 120, "zh": 40}
SWAP_QUESTIONS = 16
SEED = 7
STEPS = 7
WAY_ON = """
How to call it (start the service first, or run scripts/demo --keep):

  .venv/bin/python -m service --base {base} --store {folder}/store --port 8000

  curl http://127.0.0.1:8000/v1/chat/completions -H 'Content-Type: application/json' \\
    -d '{{"model": "{adapter}", "messages": [{{"role": "user", "content": "Ann has 12 pens and loses 5. How many are left?"}}]}}'

  from openai import OpenAI
  client = OpenAI(base_url="http://127.0.0.1:8000/v1", api_key="not-needed")
  reply = client.chat.completions.create(model="{adapter}", messages=[{{"role": "user", "content": "..."}}])

How to do this with rows of your own (a CSV with the columns prompt and output):

  .venv/bin/python -m training.sft --recipe {recipe} --rows my.csv --task instruct --adapter my-task --store {folder}/store
  .venv/bin/python -m adapters promote my-task@1 --store {folder}/store

The running service docks it within a second; ask for model "my-task".
"""


def run_tour(folder: Path, *, setup_seconds: float, keep: bool, console: Console) -> report.Report:
    """Run everything once and return what was found.

    Args:
        folder: An empty folder for rows, store and logs.
        setup_seconds: What the set-up before this process took.
        keep: Leave the server running at the end.
        console: Where people read along.

    Raises:
        TourError: A step failed.
    """
    started = time.monotonic()
    with memory_watch() as memory:
        _step(console, 1, f"fetch the base model {BASE}")
        run_module("basemodels", ["fetch", BASE])
        _step(console, 2, "write word problems in English and Chinese, each executed to its answer")
        first, other, asked = _write_rows(folder)
        console.print(f"{len(first)} + {len(other)} rows to train on, {len(asked)} held out")
        _show(console, asked[0])
        store = Store(folder / "store")
        train_started = time.monotonic()
        _train(folder, console)
        train_s = time.monotonic() - train_started
        store.set_alias(ADAPTER, "stable", 1, expected=None, who="demo", why="first version")
        _step(console, 5, "serve version 1 on vLLM")
        serve_started = time.monotonic()
        arguments = ["--base", BASE, "--store", str(folder / "store")]
        with running_server(arguments, folder / "service.log", leave=keep) as (url, pid):
            serve_s = time.monotonic() - serve_started
            console.print(f"ready at {url} after {serve_s:.0f} s")
            swap = _swap(url, asked, console)
            base, adapter, programs = _ask(url, asked, console)
            total_s = setup_seconds + time.monotonic() - started
            found = report.Report(
                base=base,
                adapter=adapter,
                swap=_swap_figures(swap),
                seconds=report.Seconds(
                    setup=setup_seconds, train=train_s, serve=serve_s, total=total_s
                ),
                peak_memory_bytes=memory.peak_bytes,
            )
            report.print_table(found, console)
            _show_one(console, asked, programs)
            _show_the_way_on(console, url, folder)
            if keep:
                console.print(f"The service stays at {url}; `kill {pid}` ends it.")
    return found


def _step(console: Console, number: int, text: str) -> None:
    console.rule(f"[bold]{number}/{STEPS}  {text}", align="left")


def _write_rows(folder: Path) -> tuple[list[Problem], list[Problem], list[Problem]]:
    """Write both versions' rows; return them and the held-out problems, mixed."""
    first: list[Problem] = []
    other: list[Problem] = []
    asked: list[Problem] = []
    for language, count in FIRST_ROWS.items():
        total = count + OTHER_ROWS[language]
        drawn = _draw(total, language, "train")
        first += drawn[:count]
        other += drawn[count:]
        asked += _draw(HELD_OUT[language], language, "seen")
        asked += _draw(HELD_OUT[language], language, "unseen")
    shuffle = random.Random(SEED)  # noqa: S311 - an order, not a secret
    for rows in (first, other, asked):
        shuffle.shuffle(rows)
    write_problems(folder / "rows-1.csv", first)
    write_problems(folder / "rows-2.csv", other)
    write_problems(folder / "held-out.csv", asked)
    return first, other, asked


def _draw(count: int, language: Language, split: Split) -> list[Problem]:
    """Draw problems of the everyday families, evenly from their templates."""
    # They hold a third of the templates, and every template gives in turn.
    drawn = generate(seed=SEED, count=5 * count, language=language, split=split)
    return [problem for problem in drawn if problem.family in FAMILIES][:count]


def _train(folder: Path, console: Console) -> None:
    common = ["--recipe", str(RECIPE), "--store", str(folder / "store"), "--adapter", ADAPTER]
    _step(console, 3, "train version 1, briefly")
    rows = ["--rows", str(folder / "rows-1.csv"), "--run-dir", str(folder / "run-1")]
    run_module("training.sft", [*common, *rows])
    _step(console, 4, "train version 2: go on from version 1 with the rest of the rows")
    rows = ["--rows", str(folder / "rows-2.csv"), "--run-dir", str(folder / "run-2")]
    run_module("training.sft", [*common, *rows, "--continue-from", f"{ADAPTER}@1"])


def _swap(url: str, asked: Sequence[Problem], console: Console) -> SwapReport:
    _step(console, 6, "promote version 2 while eight clients stream")
    english = [problem.question for problem in asked if problem.language == "en"]
    found = asyncio.run(swap_under_load(url, ADAPTER, 1, 2, english[:SWAP_QUESTIONS]))
    by_version = ", ".join(f"{count} by {name}" for name, count in sorted(found.by_version.items()))
    console.print(
        f"{found.requests} streams ({by_version}); {found.failed} failed, {found.wrong_version} by "
        f"another version than they name; promote took {found.promote_s:.2f} s, longest wait for "
        f"a token {found.longest_gap_s:.2f} s; the versions differ on {found.telling} of "
        f"{SWAP_QUESTIONS} questions"
    )
    for error in found.errors[:3]:
        console.print(f"[red]{error}")
    return found


def _swap_figures(found: SwapReport) -> report.Swap:
    return report.Swap(
        requests=found.requests,
        failed=found.failed,
        wrong_version=found.wrong_version,
        longest_gap_s=found.longest_gap_s,
    )


def _ask(
    url: str, asked: Sequence[Problem], console: Console
) -> tuple[report.Asked, report.Asked, list[str]]:
    """Ask base and adapter; return what each got right, and the adapter's programs."""
    _step(console, 7, f"ask {len(asked)} held-out questions: the base, then the adapter")
    base_programs = held_out.ask_base(url, BASE, asked)
    base = held_out.judge(asked, base_programs, read_timing(url, "base", "base"))
    programs = held_out.ask_adapter(url, f"{ADAPTER}@2", asked)
    adapter = held_out.judge(asked, programs, read_timing(url, ADAPTER, "2"))
    return base, adapter, programs


def _show(console: Console, problem: Problem) -> None:
    console.print(f"for example: [italic]{problem.question}[/]\n{problem.program}", highlight=False)


def _show_one(console: Console, asked: Sequence[Problem], programs: Sequence[str]) -> None:
    """Print one held-out question with its program, trace and answer: the longest right one."""
    right = [
        (pseudocode.run(program), problem)
        for problem, program in zip(asked, programs, strict=True)
        if pseudocode.run(program).answer == problem.answer and problem.split == "unseen"
    ]
    if not right:
        console.print("no held-out question of an untrained template was answered rightly")
        return
    result, problem = max(right, key=lambda pair: pair[0].steps)
    console.print(f"\n[bold]One of them[/]  {problem.question}", highlight=False)
    for step in result.trace:
        console.print(f"  {step.name} = {step.expression}    -> {step.value}", highlight=False)
    console.print(f"  answer {result.answer}, gold {problem.answer}")


def _show_the_way_on(console: Console, url: str, folder: Path) -> None:
    console.print(
        WAY_ON.format(url=url, folder=folder, adapter=ADAPTER, base=BASE, recipe=RECIPE),
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
