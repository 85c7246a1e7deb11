"""`python -m training.chains programs|gsm8k|spoil SOURCE --out FILE`: chains of thought as rows.

Exit codes: 0 done, 2 the source cannot be used (one message on stderr says why).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from training.chains.building import from_gsm8k, from_programs, spoil
from training.chains.verbalising import Language
from training.errors import TrainingError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "programs":
            found = from_programs(arguments.source, arguments.out, arguments.language)
        elif arguments.command == "gsm8k":
            found = from_gsm8k(arguments.source, arguments.out)
        else:
            found = spoil(arguments.source, arguments.out, arguments.seed)
    except (TrainingError, OSError) as error:
        print(f"training.chains: {error}", file=sys.stderr)
        return 2
    for what, count in found.most_common():
        print(f"{count:7}  {what}")
    print(f"written to {arguments.out}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.chains",
        description="Chains of thought whose every calculation was recomputed, and spoiled ones "
        "for training.dpo.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    programs = commands.add_parser("programs", help="write programs out, step by step")
    gsm8k = commands.add_parser("gsm8k", help="GSM8K's own solutions")
    spoiled = commands.add_parser("spoil", help="right chains beside spoiled ones")
    for command in (programs, gsm8k, spoiled):
        command.add_argument("source", type=Path, metavar="SOURCE", help="a file of rows")
        command.add_argument(
            "--out", type=Path, required=True, metavar="FILE", help=".csv or .jsonl"
        )
    programs.add_argument(
        "--language", choices=get_args(Language), default="en", help="to write in [en]"
    )
    spoiled.add_argument("--seed", type=int, default=0, help="the same seed, the same rows [0]")
    return parser
