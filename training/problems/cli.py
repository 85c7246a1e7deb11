"""`python -m training.problems --count 2000 --language en,zh --seed 0 --out rows.csv`.

Writes verified word problems as training rows, or shows a few. Exit codes: 0 done, 2 the request
cannot be met (one message on stderr says why).
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from configuration.arguments import positive
from training.errors import NotWritten
from training.problems.errors import ProblemError
from training.problems.generator import Problem, generate
from training.problems.rows import write_problems
from training.problems.splits import Split
from training.problems.templates import Language


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.out is None and arguments.preview is None:
        parser.error("nothing to do: give --out FILE to write rows or --preview N to see some")
    try:
        problems = _draw(arguments)
        if arguments.out is not None:
            write_problems(arguments.out, problems)
    except (ProblemError, NotWritten) as error:
        print(f"training.problems: {error}", file=sys.stderr)
        return 2
    for language in arguments.language:
        shown = [problem for problem in problems if problem.language == language]
        for problem in shown[: arguments.preview or 0]:
            print(f"{problem.question}\n{problem.program}")
            print(f"-> {problem.answer}  ({problem.template})\n")
    if arguments.out is not None:
        print(_summary(problems))
        print(f"{len(problems)} rows in {arguments.out}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.problems",
        description="Word problems with a program each, whose execution gave the answer.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--count", type=positive, default=1000, help="problems, over all languages [1000]"
    )
    parser.add_argument("--language", type=_languages, default=("en",), help="en, zh or en,zh [en]")
    parser.add_argument("--seed", type=int, default=0, help="the same seed, the same rows [0]")
    parser.add_argument(
        "--split",
        choices=get_args(Split),
        default="train",
        help="train; seen: trained templates, kept numbers; unseen: kept templates [train]",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="a .csv or .jsonl file to write")
    parser.add_argument(
        "--preview", type=positive, metavar="N", help="print the first N problems of each language"
    )
    return parser


def _languages(text: str) -> tuple[Language, ...]:
    known: dict[str, Language] = {language: language for language in get_args(Language)}
    named = dict.fromkeys(text.split(","))
    if unknown := [name for name in named if name not in known]:
        raise argparse.ArgumentTypeError(
            f"unknown language {unknown[0]!r}; expected {' or '.join(known)}, joined by commas"
        )
    return tuple(known[name] for name in named)


def _draw(arguments: argparse.Namespace) -> list[Problem]:
    """Draw the count in equal parts over the languages, the first taking what is left over."""
    share, over = divmod(arguments.count, len(arguments.language))
    problems = []
    for position, language in enumerate(arguments.language):
        problems += generate(
            seed=arguments.seed,
            count=share + (over if position == 0 else 0),
            language=language,
            split=arguments.split,
        )
    return problems


def _summary(problems: list[Problem]) -> str:
    """Return a table: problems per family and language, and templates behind them."""
    languages = sorted({problem.language for problem in problems})
    counts = Counter((problem.family, problem.language) for problem in problems)
    templates = Counter(
        family for family, _ in {(problem.family, problem.template) for problem in problems}
    )
    heading = f"{'family':20}" + "".join(f"{name:>8}" for name in languages) + "  templates"
    lines = [
        f"{family:20}"
        + "".join(f"{counts[family, name]:8}" for name in languages)
        + f"{templates[family]:11}"
        for family in sorted(templates)
    ]
    return "\n".join([heading, *lines])
