"""`python -m training.conversion gsm8k FILE --out rows.csv`: a public data set as training rows.

Prints how many questions were kept and why the others were dropped. Exit codes: 0 done, 2 the file
cannot be converted (one message on stderr says why).
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import pseudocode
from pseudocode.findings import check
from training.conversion import ape210k, gsm8k, tal_scq5k
from training.conversion.candidates import Dropped
from training.conversion.errors import ConversionError
from training.conversion.forms import Form
from training.conversion.rows import Row, convert
from training.errors import NotWritten
from training.row_writing import write_rows

COLUMNS = ("prompt", "output", "answer", "language", "source", "split")

_DATA_SETS = {"gsm8k": gsm8k, "ape210k": ape210k, "tal_scq5k": tal_scq5k}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        outcomes = list(conversions(arguments.data_set, arguments.file, arguments.form))
        if arguments.grounded:
            outcomes = [grounded(outcome) for outcome in outcomes]
        rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
        kept = [row for row in rows if arguments.split in ("all", row.split)]
        write_rows(
            arguments.out,
            COLUMNS,
            [tuple(asdict(row).values()) for row in kept],
        )
        if arguments.dropped is not None:
            _write_dropped(arguments.dropped, outcomes)
    except (ConversionError, NotWritten) as error:
        print(f"training.conversion: {error}", file=sys.stderr)
        return 2
    reasons = Counter(outcome.reason for outcome in outcomes if isinstance(outcome, Dropped))
    print(f"{len(outcomes)} questions, {len(rows)} programs that give the published answer")
    for reason, count in reasons.most_common():
        print(f"  dropped {count:6}  {reason}")
    print(f"{len(kept)} rows ({arguments.split}) in {arguments.out}")
    print(f"licence of the data: {_DATA_SETS[arguments.data_set].LICENCE or 'none stated'}")
    return 0


def conversions(data_set: str, path: Path, form: Form) -> Iterator[Row | Dropped]:
    """Convert every question of a file, in its order; a repeated question is dropped.

    Raises:
        ConversionError: The file cannot be read, or is not of this data set.
    """
    seen: set[str] = set()
    try:
        for candidate in _DATA_SETS[data_set].read(path):
            outcome = candidate if isinstance(candidate, Dropped) else convert(candidate, form)
            if isinstance(outcome, Row) and outcome.prompt in seen:
                yield Dropped(outcome.source, "repeated_question")
                continue
            if isinstance(outcome, Row):
                seen.add(outcome.prompt)
            yield outcome
    except (OSError, UnicodeDecodeError) as error:
        raise ConversionError(
            f"cannot read {path}: {error}. Give the data set's file as it is published, in UTF-8."
        ) from error


def grounded(outcome: Row | Dropped) -> Row | Dropped:
    """Drop a row that would teach to write numbers which nothing gives, and serving then doubts."""
    if isinstance(outcome, Dropped):
        return outcome
    findings = check(pseudocode.parse(outcome.output), outcome.prompt)
    doubts = [found.message for found in findings if found.code == "ungrounded_literal"]
    return Dropped(outcome.source, "number_from_nowhere", doubts[0]) if doubts else outcome


def _write_dropped(path: Path, outcomes: Sequence[Row | Dropped]) -> None:
    dropped = [outcome for outcome in outcomes if isinstance(outcome, Dropped)]
    write_rows(
        path,
        ("source", "reason", "detail"),
        [(outcome.source, outcome.reason, outcome.detail) for outcome in dropped],
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.conversion",
        description="Word problems with published solutions as rows of question and program, each "
        "executed and equal to the published answer.",
        allow_abbrev=False,
    )
    parser.add_argument("data_set", choices=sorted(_DATA_SETS), help="what FILE is")
    parser.add_argument("file", type=Path, metavar="FILE", help="the data set's file")
    parser.add_argument("--out", type=Path, required=True, metavar="ROWS", help=".csv or .jsonl")
    parser.add_argument(
        "--form",
        choices=get_args(Form),
        default="named",
        help="how programs name things [named]",
    )
    parser.add_argument(
        "--split",
        choices=("train", "development", "all"),
        default="train",
        help="questions to train on, those kept for development, or both [train]",
    )
    parser.add_argument(
        "--grounded",
        action="store_true",
        help="drop programs with a number that the question does not give: computed in the head",
    )
    parser.add_argument(
        "--dropped", type=Path, metavar="FILE", help="write what was dropped, and why"
    )
    return parser
