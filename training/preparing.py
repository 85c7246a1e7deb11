"""From rows as text to examples: check, word, tokenise, check again.

What `training.sft` trains on and what `training.data check` reports is the same, found here.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from training.checks.leakage import exact_leaks
from training.encode import Example, encode, find_unfit
from training.errors import RowsRefused, RunRefused
from training.preferences import Pair
from training.prompts import Tokenizer, Wording, word
from training.rows import Problem, Sheet
from training.tasks import TASKS, Task, TaskName
from training.worked_examples import choose

MAX_SHOWN = 20


class Prepared(NamedTuple):
    """Good rows as text and as tokens, in the same order, and how prompts are worded."""

    sheet: Sheet
    examples: Sequence[Example | Pair]
    wording: Wording
    tokenizer: Tokenizer


def prepare(
    sheet: Sheet,
    task: TaskName,
    *,
    base_dir: Path,
    max_length_tokens: int,
    bad_rows: Literal["refuse", "drop"],
    wording: Wording | int = 0,
) -> Prepared:
    """Turn the rows of a sheet into examples for a base model.

    Args:
        sheet: What `training.rows.read_rows` read; rows that do not fit are taken out of it.
        task: Its kind of rows.
        base_dir: The base model, for its tokenizer.
        max_length_tokens: Longer rows are left out.
        bad_rows: Whether rows with mistakes refuse the file or are left out.
        wording: How prompts are worded, or how many of the rows are to stand before every prompt.

    Raises:
        RowsRefused: The sheet has mistakes, or no row is left.
        RunRefused: Worked examples leave no room for rows.
        TrainingError: The tokenizer cannot be used.
    """
    refuse(sheet, bad_rows)
    tokenizer = load_tokenizer(base_dir)
    if isinstance(wording, int):
        wording = _with_examples(sheet, TASKS[task], tokenizer, wording, max_length_tokens)
    examples = tokenise(sheet, tokenizer, wording, max_length_tokens)
    refuse(sheet, bad_rows)
    return Prepared(sheet, examples, wording, tokenizer)


def _with_examples(
    sheet: Sheet, task: Task, tokenizer: Tokenizer, count: int, max_length_tokens: int
) -> Wording:
    """Word prompts with so many rows before each, which are then not trained on themselves."""
    examples = choose(sheet.rows, count, [token for token in tokenizer.all_special_tokens if token])
    wording = word(task, tokenizer, examples)
    if examples:
        size = len(tokenizer([wording.render("")], add_special_tokens=False)["input_ids"][0])
        if size >= max_length_tokens:
            raise RunRefused(
                f"The {count} worked examples take {size} tokens of every row, expected fewer than "
                f"max_length_tokens={max_length_tokens}. Raise that, or take fewer examples."
            )
    what = "it stands before every prompt as a worked example"
    shown = {row.prompt for row in examples}
    sheet.drop(
        {
            row.line: Problem(row.line, "worked_example", what)
            for row in sheet.rows
            if row.prompt in shown
        }
    )
    return wording


def load_tokenizer(base_dir: Path) -> Tokenizer:
    """Load the tokenizer of a base model, as the service does."""
    # Seconds, which somebody whose rows are wrong need not wait.
    from transformers import AutoTokenizer  # noqa: PLC0415

    tokenizer: Tokenizer = AutoTokenizer.from_pretrained(base_dir, local_files_only=True)
    return tokenizer


def tokenise(
    sheet: Sheet, tokenizer: Tokenizer, wording: Wording, max_length_tokens: int
) -> list[Example]:
    """Turn the rows of a sheet into examples, and take out of it those that do not fit."""
    examples = encode(sheet.rows, tokenizer, wording.render)
    unfit = find_unfit(sheet.rows, examples, tokenizer, max_length_tokens)
    sheet.drop(unfit)
    return [example for example in examples if example.line not in unfit]


def refuse(sheet: Sheet, bad_rows: Literal["refuse", "drop"]) -> None:
    """Refuse a sheet with mistakes, or one without rows.

    Raises:
        RowsRefused: With every problem, by line.
    """
    mistakes = sheet.mistakes
    if sheet.rows and (not mistakes or bad_rows == "drop"):
        return
    problems = mistakes or sheet.problems
    remedy = "Mend what each line names"
    if sheet.rows:
        remedy += f", or say --bad-rows drop to train on the other {len(sheet.rows)}"
    raise RowsRefused(
        f"{sheet.path} cannot be trained on: {len(sheet.rows)} of {sheet.count} rows are usable, "
        f"{len(problems)} problem(s), expected none:\n{listed(problems)}\n{remedy}."
    )


def listed(problems: Sequence[Problem]) -> str:
    """Show problems one a line, the first of them if there are many."""
    lines = [f"  {problem}" for problem in problems[:MAX_SHOWN]]
    if len(problems) > MAX_SHOWN:
        lines.append(
            f"  and {len(problems) - MAX_SHOWN} more; `python -m training.data check` shows all"
        )
    return "\n".join(lines)


def leaks(training: Prepared, held_out: Sheet) -> list[Problem]:
    """Find held-out rows whose prompt is trained on, whatever its case, width or punctuation."""
    seen = [*training.wording.examples, *training.sheet.rows]
    return exact_leaks(seen, held_out.rows, str(training.sheet.path))
