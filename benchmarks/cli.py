"""`python -m benchmarks NAME`: run one benchmark and print its figures.

A benchmark is a module of this package with `run() -> list[Figure]`; one with flags of its own has
`add_arguments(parser)` too, and its `run` takes what was parsed. Exit codes: 0 done; 1 with
`--check`, a goal was missed; 2 no such benchmark, or it cannot run here.
"""

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import benchmarks
from benchmarks import figures
from benchmarks.figures import Figure

# Modules beside the benchmarks; those with a leading underscore are parts of one.
OWN = {"__main__", "cli", "figures"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    given = sys.argv[1:] if argv is None else list(argv)
    parser = _parser()
    # A benchmark is imported only if it is asked for: some take seconds.
    named = next((name for name in given if name in names()), None)
    module = importlib.import_module(f"benchmarks.{named}") if named else None
    own = hasattr(module, "add_arguments")
    if module is not None and own:
        module.add_arguments(parser)
    arguments = parser.parse_args(given)
    if module is None or arguments.name != named:
        module = importlib.import_module(f"benchmarks.{arguments.name}")
    before = figures.machine()
    run: Callable[..., list[Figure]] = module.run
    found = run(arguments) if own else run()
    figures.show(arguments.name, found, before)
    if arguments.json is not None:
        arguments.json.write_text(figures.as_json(arguments.name, found, before), encoding="utf-8")
    missed = any(figure.ok is False for figure in found)
    return 1 if arguments.check and missed else 0


def names() -> list[str]:
    """Every benchmark there is, in order."""
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in found if name not in OWN and not name.startswith("_"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("name", choices=names(), help="which one")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    return parser
