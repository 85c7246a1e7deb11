"""What the gate and the store cost: hostile and large adapters, and stores that grow."""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from adapters import records
from adapters.layout import MANIFEST
from adapters.store import Store
from benchmarks._verifying import ROOT, Measured, measure
from benchmarks.figures import Figure, Sweep
from tests.adapters.hostile import CASES
from tests.adapters.making import make_adapter, make_base

RUNS = 3
GROWTH = (1, 10, 100, 1000, 10_000)
QUICK_GROWTH = (1, 10, 100)
SEVEN_BILLION = {
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
}
ALL_LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What this benchmark can be told beside what all can."""
    parser.add_argument("--quick", action="store_true", help="stores of 100 versions at most")


def run(*, quick: bool = False) -> list[Figure]:
    """Measure everything, in a directory that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="loradock-store-") as name:
        place = Path(name)
        return [
            *_hostile(place / "hostile"),
            *_large(place / "large"),
            *growth(place / "growth", QUICK_GROWTH if quick else GROWTH),
        ]


def _hostile(place: Path) -> list[Figure]:
    adapter = make_adapter(make_base(place / "base"))
    directories = []
    for number, case in enumerate(CASES):
        directories.append(adapter.write(place / "cases" / str(number)))
        case.spoil(directories[-1], adapter)
    spent, peak_mb = _best_of(adapter.base, directories)
    slowest = max(range(len(CASES)), key=lambda number: spent[number].wall_s)
    accepted = sum(one.findings == 0 for one in spent)
    note = (
        f"worst of {len(CASES)} cases ({CASES[slowest].name}), best of {RUNS} runs, "
        f"{spent[slowest].processor_s:.3f} s of processor time"
    )
    return [
        Figure("hostile adapters accepted", accepted, "adapters"),
        Figure("verify a hostile adapter", spent[slowest].wall_s, "s", note=note),
        Figure("memory for all hostile adapters", peak_mb, "MB", note="peak of the process"),
    ]


def _large(place: Path) -> list[Figure]:
    base = make_base(place / "base", "LlamaForCausalLM", **SEVEN_BILLION)
    found = []
    for dtype, rank in (("float32", 16), ("bfloat16", 32)):
        adapter = make_adapter(base, targets=ALL_LINEAR, rank=rank, dtype=dtype)
        directory = adapter.write(place / dtype)
        (spent,), peak_mb = _best_of(base, [directory])
        note = f"7B, all linear layers, rank {rank}, {spent.processor_s:.2f} s of processor time"
        found += [
            Figure(f"verify 160 MB of {dtype}", spent.wall_s, "s", note=note),
            Figure(f"memory for 160 MB of {dtype}", peak_mb, "MB", note="peak of the process"),
        ]
        whole_s, spent_s = _best(partial(_cli, "verify", str(directory), "--base", str(base)))
        name = f"verify 160 MB of {dtype}, whole command"
        found.append(Figure(name, whole_s, "s", note=f"with start-up, {spent_s}"))
    return found


def growth(place: Path, counts: Sequence[int]) -> list[Figure]:
    """Listing and resolving in stores of so many versions."""
    adapter = make_adapter(make_base(place / "base"))
    source = adapter.write(place / "source")
    found = []
    for count in counts:
        store = Store(place / str(count))
        store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
        store.set_alias("tales", "stable", 1, expected=None, who="benchmark", why="to resolve it")
        fill(store, "tales", count)
        name = f"list {count:,} versions"
        listing_s, spent_s = _best(partial(store.all_versions, "tales"))
        sweep = Sweep("list all", "versions in the store", count)
        found.append(Figure(name, listing_s, "s", note=spent_s, sweep=sweep))
        resolving_s, spent_s = _best(partial(store.resolve, "tales"))
        sweep = Sweep("resolve one", "versions in the store", count)
        resolving = Figure(f"resolve one of {count:,}", resolving_s * 1000, "ms", note=spent_s)
        found.append(replace(resolving, sweep=sweep))
        if count == 1000:
            whole_s, spent_s = _best(partial(_cli, "list", "--json", "--store", str(store.root)))
            note = f"with start-up, {spent_s}"
            found.append(Figure(f"{name}, whole command", whole_s, "s", note=note))
        shutil.rmtree(store.root)
    return found


def fill(store: Store, name: str, count: int) -> None:
    """Give an adapter with one version so many, by copying it; faster than publishing."""
    first, home = store.version(name, 1), store.home(name)
    state = records.load(home)
    document = json.loads((first.path / MANIFEST).read_text(encoding="utf-8"))
    for number in range(2, count + 1):
        shutil.copytree(first.path, home.version(number))
        raw = json.dumps(document | {"version": number}).encode()
        (home.version(number) / MANIFEST).write_bytes(raw)
        state.manifests[number] = hashlib.sha256(raw).hexdigest()
    state.next_version = count + 1
    records.save(home, state)


def _best_of(base: Path, directories: list[Path]) -> tuple[list[Measured], float]:
    """The fastest run of each directory and the highest memory."""
    runs = [measure(base, directories) for _ in range(RUNS)]
    fastest = [
        min(each, key=lambda one: one.wall_s)
        for each in zip(*(spent for spent, _ in runs), strict=True)
    ]
    return fastest, max(peak_mb for _, peak_mb in runs)


def _best(action: Callable[[], object]) -> tuple[float, str]:
    """Seconds of the fastest run, and its processor time in words; that of children counts."""
    runs = []
    for _ in range(RUNS):
        wall, processor = time.perf_counter(), _processor_s()
        action()
        runs.append((time.perf_counter() - wall, _processor_s() - processor))
    wall_s, processor_s = min(runs)
    return wall_s, f"{processor_s:.3f} s of processor time"


def _processor_s() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _cli(*arguments: str) -> None:
    command = [sys.executable, "-m", "adapters", *arguments]
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)  # noqa: S603
