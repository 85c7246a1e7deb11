"""`python -m training.data check FILE --task T [--base BASE] [--json]`: what is wrong with my rows?

The same checks that `training.sft` makes; lengths and control tokens need to know the base model.
Exit codes: 0 nothing to mend, 1 some row has a mistake, 2 the check itself is not possible.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from rich.console import Console

from basemodels import BaseModelError, resolve
from training.encode import Example, length_line, preview
from training.errors import TrainingError
from training.preparing import load_tokenizer, tokenise
from training.prompts import Tokenizer, word
from training.recipe import Recipe
from training.rows import Column, Sheet, read_rows
from training.tasks import TASKS, TaskName

PREVIEWS = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    console = Console(highlight=False, soft_wrap=True, markup=False)
    try:
        sheet = read_rows(arguments.file, TASKS[arguments.task], arguments.columns)
        encoded = _encode(sheet, arguments) if arguments.base else None
    except (TrainingError, BaseModelError) as error:
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(
            f"training.data: {error}"
        )
        return 2
    if arguments.json:
        sys.stdout.write(json.dumps(_as_json(sheet, encoded), ensure_ascii=False) + "\n")
    else:
        _show(sheet, encoded, console)
    return 1 if sheet.mistakes or not sheet.rows else 0


Encoded = tuple[list[Example], Tokenizer]


def _encode(sheet: Sheet, arguments: argparse.Namespace) -> Encoded:
    tokenizer = load_tokenizer(resolve(arguments.base))
    wording = word(TASKS[arguments.task], tokenizer)
    return tokenise(sheet, tokenizer, wording, arguments.max_length_tokens), tokenizer


def _as_json(sheet: Sheet, encoded: Encoded | None) -> dict[str, object]:
    verdict: dict[str, object] = {
        "rows": sheet.count,
        "kept": len(sheet.rows),
        "problems": [problem._asdict() for problem in sheet.problems],
        "content_sha256": sheet.content_sha256(),
    }
    if encoded is not None:
        verdict["length_tokens"] = [len(example.input_ids) for example in encoded[0]]
    return verdict


def _show(sheet: Sheet, encoded: Encoded | None, console: Console) -> None:
    console.print(f"{sheet.path}: {sheet.count} rows, {len(sheet.rows)} kept")
    if sheet.problems:
        console.print("\n".join(f"  {problem}" for problem in sheet.problems))
    if encoded is None:
        console.print("Lengths in tokens and a preview need --base.")
        return
    examples, tokenizer = encoded
    if examples:
        console.print(length_line(examples))
    for example in examples[:PREVIEWS]:
        console.print(f"line {example.line}, trained tokens in brackets:")
        console.print(preview(example, tokenizer))


def _parser() -> argparse.ArgumentParser:
    fields = Recipe.model_fields
    parser = argparse.ArgumentParser(
        prog="python -m training.data",
        description="Check rows before they are trained on, line by line.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="report everything wrong with a file of rows")
    check.add_argument("file", type=Path, help="a .csv or .jsonl file")
    check.add_argument(
        "--task", choices=get_args(TaskName), default=fields["task"].default, help="kind of rows"
    )
    check.add_argument("--columns", type=_columns, default={}, help=fields["columns"].description)
    check.add_argument("--base", help=fields["base"].description)
    check.add_argument(
        "--max-length-tokens",
        type=int,
        default=fields["max_length_tokens"].default,
        help=fields["max_length_tokens"].description,
    )
    check.add_argument("--json", action="store_true", help="for programs")
    return parser


def _columns(text: str) -> dict[Column, str]:
    pairs = dict(part.split("=", 1) for part in text.split(",") if "=" in part)
    known = get_args(Column)
    if not pairs or set(pairs) - set(known):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not prompt=NAME,output=NAME; known are {', '.join(known)}"
        )
    return {column: pairs[column] for column in known if column in pairs}


if __name__ == "__main__":
    raise SystemExit(main())
