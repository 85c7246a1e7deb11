"""`training.sft` against the shortest TRL script: same rows, steps, rank and rate, on the CPU.

Time is computing time of the training loop, since a machine in use makes both wait.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from basemodels import resolve
from benchmarks.figures import Figure
from training.preparing import load_tokenizer
from training.problems import generate, write_problems
from training.row_writing import write_rows
from training.tasks import TASKS

ROOT = Path(__file__).resolve().parents[1]
BASE = "smollm2-135m-instruct"
ROWS, QUICK_ROWS = 160, 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What this benchmark can be told beside what all can."""
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS} rows")


def run(*, quick: bool = False) -> list[Figure]:
    """Train both ways, one after the other, in a directory that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="loradock-training-") as name:
        rows = Path(name) / "rows.csv"
        write_problems(
            rows,
            generate(seed=0, count=QUICK_ROWS if quick else ROWS, language="en", split="train"),
        )
        worded = _worded(rows, Path(name) / "worded.csv")
        return compare(resolve(BASE), rows, worded, Path(name))


def compare(base: Path, rows: Path, worded: Path, place: Path) -> list[Figure]:
    """Train on a base and a CSV both ways.

    Args:
        base: Directory of a base model.
        rows: A CSV with the columns prompt and output.
        worded: The same with the prompts as ours words them, so that both read the same text.
        place: Where both may write.
    """
    ours = _train("ours", base, rows, place / "ours")
    trl = _train("trl", base, worded, place / "trl")
    tokens = _tokens(base, worded)
    note = f"{tokens} tokens of prompt and output, {ours['steps']:.0f} steps"
    apart = abs(ours["loss"] / trl["loss"] - 1)
    return [
        Figure("ours", tokens / ours["cpu_s"], "tokens per CPU second", note=note),
        Figure("TRL", tokens / trl["cpu_s"], "tokens per CPU second", note=note),
        Figure("speed, ours over TRL", trl["cpu_s"] / ours["cpu_s"], "x"),
        Figure("peak memory, ours over TRL", ours["peak_bytes"] / trl["peak_bytes"], "x"),
        Figure("final loss apart", apart, "of TRL's", note="last quarter of the steps"),
    ]


def _worded(rows: Path, target: Path) -> Path:
    form = TASKS["pseudocode"].prompt
    with rows.open(encoding="utf-8", newline="") as file:
        pairs = [(form.format(prompt=row["prompt"]), row["output"]) for row in csv.DictReader(file)]
    write_rows(target, ("prompt", "output"), pairs)
    return target


def _train(kind: str, base: Path, rows: Path, out: Path) -> dict[str, float]:
    out.mkdir()
    command = [sys.executable, "-m", "benchmarks._training_worker", kind]
    done = subprocess.run(  # noqa: S603 - our own module
        [*command, str(base), str(rows), str(out)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _tokens(base: Path, rows: Path) -> int:
    with rows.open(encoding="utf-8", newline="") as file:
        texts = [row["prompt"] + row["output"] for row in csv.DictReader(file)]
    return sum(map(len, load_tokenizer(base)(texts, add_special_tokens=False)["input_ids"]))
