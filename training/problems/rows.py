"""Write problems as training rows.

The prompt is the bare question; the text form around it is the trainer's business.
"""

from collections.abc import Iterable
from pathlib import Path

from training.problems.generator import Problem
from training.row_writing import write_rows

COLUMNS = ("prompt", "output", "answer", "language", "template", "split")


def write_problems(path: Path, problems: Iterable[Problem]) -> None:
    """Write one row per problem; an existing file is replaced when all of them are written.

    Raises:
        NotWritten: The suffix is neither .csv nor .jsonl, or the file cannot be written.
    """
    write_rows(
        path,
        COLUMNS,
        [
            (
                problem.question,
                problem.program,
                problem.answer,
                problem.language,
                problem.template,
                problem.split,
            )
            for problem in problems
        ],
    )
