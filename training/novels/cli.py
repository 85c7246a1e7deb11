"""`python -m training.novels BOOKS… --out DIR`: books as raw text and rows for the continuation task.

`python -m training.novels evaluate` measures what was trained on them; `training.data novel` is this.
Exit codes: 0 done, 2 a book cannot be read or nothing came of it (one message says why).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from training.errors import NotWritten
from training.novels.building import Settings, build
from training.novels.errors import NovelError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["evaluate"]:
        # Making rows needs none of what measuring loads.
        from training.novels.evaluation import cli as evaluation  # noqa: PLC0415

        return evaluation.main(given[1:])
    arguments = _parser().parse_args(given)
    settings = Settings(
        opening_characters=arguments.opening_chars,
        continuation_characters=arguments.continuation_chars,
        held_out=arguments.held_out,
        seed=arguments.seed,
    )
    try:
        report = build(arguments.books, arguments.out, settings)
    except (NovelError, NotWritten) as error:
        print(f"training.novels: {error}", file=sys.stderr)
        return 2
    print(f"{report.books} books, {report.chapters} chapters, {report.characters:,} characters")
    print(f"{report.rows} rows to train on ({report.languages}) in {arguments.out / 'rows.csv'}")
    print(
        f"{report.rows_held_out} rows of {report.chapters_held_out} chapters kept back in "
        f"{arguments.out / 'held-out.csv'}; {arguments.out / 'raw'} holds the other chapters"
    )
    if report.rows_dropped:
        print(f"{report.rows_dropped} dropped: the book leaves a quotation open there")
    for source, licence in report.licences.items():
        print(f"  {licence[:60]:60}  {source}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.novels",
        description="Novels as raw text (for training.pretrain) and as rows of opening and "
        "continuation (for training.sft), split by whole chapters.",
        epilog="`evaluate --help` says how adapters are measured on the chapters kept back.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "books",
        nargs="+",
        type=Path,
        metavar="BOOK",
        help="EPUB, XHTML, Markdown or text files, or directories of them",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new directory")
    parser.add_argument(
        "--opening-chars",
        type=_length,
        default=Settings.opening_characters,
        metavar="N",
        help=f"about how long a prompt is [{Settings.opening_characters}]",
    )
    parser.add_argument(
        "--continuation-chars",
        type=_length,
        default=Settings.continuation_characters,
        metavar="N",
        help=f"about how long an output is [{Settings.continuation_characters}]",
    )
    parser.add_argument(
        "--held-out",
        type=_share,
        default=Settings.held_out,
        metavar="SHARE",
        help=f"share of the chapters kept back [{Settings.held_out}]",
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed, the same rows [0]")
    return parser


def _length(text: str) -> int:
    if not text.isdecimal() or int(text) < 20:
        raise argparse.ArgumentTypeError(f"{text!r} is no length; expected 20 characters or more")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share; expected 0 up to 1, such as 0.1")
    return share
