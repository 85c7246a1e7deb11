"""`python -m benchmarks NAME`: run one benchmark and print its figures.

A benchmark is a module of this package with `run(...) -> list[Figure]`; its `add_arguments`, if it
has one, says what `run` takes. Exit codes: 0 done; 1 with `--check`, a goal was missed; 2 no such
benchmark, or it cannot run here.
"""

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import benchmarks
from basemodels.errors import BaseModelError
from benchmarks import figures, goals
from benchmarks.errors import BenchmarkError
from benchmarks.figures import Figure

# Modules beside the benchmarks; those with a leading underscore are parts of one.
OWN = {"__main__", "cli", "errors", "figures", "goals"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    given = [*(sys.argv[1:] if argv is None else argv)]
    # The name decides which module says what else can be given; the others need not be loaded.
    without_help = [word for word in given if word not in {"-h", "--help"}]
    name = _parser().parse_known_args(without_help or given)[0].name
    module = importlib.import_module(f"benchmarks.{name}")
    arguments = vars(_parser(module).parse_args(given))
    target, check = arguments.pop("json"), arguments.pop("check")
    del arguments["name"]
    before = figures.machine()
    run: Callable[..., list[Figure]] = module.run
    try:
        found = goals.judged(name, run(**arguments))
    except (BaseModelError, BenchmarkError) as error:
        print(error, file=sys.stderr)
        return 2
    figures.show(name, found, before)
    if target is not None:
        target.write_text(figures.as_json(name, found, before), encoding="utf-8")
    missed = [figure for figure in found if figure.ok is False]
    if not check:
        return 0
    for figure in missed:
        print(f"missed: {figure.name}: {figure.value:.4g}, goal {figure.goal}", file=sys.stderr)
    return 1 if missed else 0


def names() -> list[str]:
    """Every benchmark there is, in order."""
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in found if name not in OWN and not name.startswith("_"))


def _parser(module: ModuleType | None = None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=names(), help="which one")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    if module is not None and hasattr(module, "add_arguments"):
        module.add_arguments(parser)
    return parser
