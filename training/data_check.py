"""`python -m training.data check FILE --task T [--base BASE] [--json]`: what is wrong with my rows?

The same checks that a run makes; lengths and control tokens need to know the base model. Exit
codes: 0 every row is kept, 1 some are lost or held-out rows leak, 2 nothing here can be used.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from rich.console import Console

from basemodels import BaseModelError
from configuration.arguments import positive
from training.data_repair import repair_rows
from training.data_report import Report, build
from training.data_show import show
from training.errors import RowsRefused, TrainingError
from training.reading.columns import Column, parse_columns
from training.recipe import Recipe
from training.tasks import TASKS, TaskName


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    task = TASKS[arguments.task]
    try:
        report = build(
            arguments.file,
            task,
            arguments.columns,
            base=arguments.base,
            max_length_tokens=arguments.max_length_tokens,
            held_out=arguments.eval,
        )
        if arguments.plot:
            report.plot(arguments.plot)
        if arguments.repair:
            repaired = repair_rows(arguments.file, task, arguments.columns, arguments.repair)
            report.remarks.append(repaired)
    except (TrainingError, BaseModelError) as error:
        if arguments.json and isinstance(error, RowsRefused):
            _print_json(Report.of_nothing(str(error)))
        _errors().print(f"training.data: {error}")
        return 2
    if arguments.json:
        _print_json(report.as_json())
    else:
        show(report, Console(highlight=False, soft_wrap=True, markup=False))
    return report.exit_code


def _errors() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def _print_json(content: dict[str, object]) -> None:
    # Escapes keep whatever a file holds printable, lone surrogates included.
    text = json.dumps(content, ensure_ascii=False)
    try:
        sys.stdout.write(text + "\n")
    except UnicodeEncodeError:
        sys.stdout.write(json.dumps(content) + "\n")


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what is read."""
    fields = Recipe.model_fields
    parser.add_argument(
        "file", type=Path, help=".csv, .tsv, .jsonl, .json, .parquet or Hub id; raw text: a folder"
    )
    parser.add_argument(
        "--task", choices=get_args(TaskName), default=fields["task"].default, help="kind of rows"
    )
    parser.add_argument("--columns", type=_columns, default={}, help=fields["columns"].description)


def _parser() -> argparse.ArgumentParser:
    fields = Recipe.model_fields
    parser = argparse.ArgumentParser(
        prog="python -m training.data check",
        description="Check rows before they are trained on, line by line.",
        epilog="Exit codes: 0 every row is kept, 1 some are lost, 2 nothing can be used.",
        allow_abbrev=False,
    )
    add_source(parser)
    parser.add_argument("--base", help=fields["base"].description)
    parser.add_argument(
        "--max-length-tokens",
        type=positive,
        default=fields["max_length_tokens"].default,
        help=fields["max_length_tokens"].description,
    )
    parser.add_argument("--eval", type=Path, metavar="FILE", help="held-out rows, to find leaks")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the lengths")
    parser.add_argument(
        "--repair", type=Path, metavar="OUT", help="cot: write the rows with mended arithmetic"
    )
    return parser


def _columns(text: str) -> dict[Column, str]:
    try:
        return parse_columns(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    raise SystemExit(main())
