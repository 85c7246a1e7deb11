"""`python -m pseudocode run FILE`: run a program from a file or, with `-`, from stdin.

Exit codes: 0 it has an answer, 1 it has none (and says why), 2 the file cannot be read.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pseudocode.interpreter import Result, run

EXAMPLE = """example:
  printf 'cost = 3 * 4.50\\nleft = 20 - cost\\nreturn left\\n' | python -m pseudocode run -
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        source = (
            sys.stdin.read() if arguments.file == "-" else Path(arguments.file).read_text("utf-8")
        )
    except (OSError, UnicodeDecodeError) as error:
        print(
            f"pseudocode: cannot read {arguments.file} ({error}); expected a UTF-8 text file, or - "
            "for standard input.",
            file=sys.stderr,
        )
        return 2
    result = run(source)
    if arguments.json:
        print(json.dumps(as_json(result), ensure_ascii=False))
    else:
        _print(result)
    return 1 if result.error else 0


def as_json(result: Result) -> dict[str, object]:
    """Return the form programs read: answer, trace, steps, error."""
    return {
        "answer": result.answer,
        "trace": [dataclasses.asdict(step) for step in result.trace],
        "steps": result.steps,
        "error": dataclasses.asdict(result.error) if result.error else None,
    }


def _print(result: Result) -> None:
    width = max((len(step.name) for step in result.trace), default=0)
    for step in result.trace:
        print(f"{step.line:>3}  {step.name:<{width}} = {step.value}    ({step.expression})")
    if result.error:
        place = f"line {result.error.line}: " if result.error.line else ""
        print(f"no answer: {place}{result.error.message} [{result.error.code}]", file=sys.stderr)
    else:
        print(f"answer: {result.answer}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pseudocode",
        description="Run programs of the pseudocode dialect exactly and show every step.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="run a program and print its trace and answer")
    running.add_argument("file", help="a file with a program, or - for standard input")
    running.add_argument("--json", action="store_true", help="print one JSON object")
    return parser
