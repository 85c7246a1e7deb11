"""From text to token ids and labels, one example at a time and testable token by token.

Prompt and completion are tokenised apart, so no token spans the boundary and the trained prompt
is token for token the served one. The completion ends in the end-of-text token; only it is trained.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from training.errors import RunRefused
from training.prompts import Tokenizer
from training.rows import Problem, Row

IGNORED = -100


class Example(NamedTuple):
    """One row as the model sees it.

    Attributes:
        line: Where it starts in its file.
        input_ids: Prompt, completion, end of text.
        labels: `IGNORED` over the prompt, then the same ids.
    """

    line: int
    input_ids: list[int]
    labels: list[int]

    @property
    def singles(self) -> "list[Example]":
        """The rows it consists of, itself."""
        return [self]


def encode(
    rows: Sequence[Row], tokenizer: Tokenizer, render: Callable[[str], str]
) -> list[Example]:
    """Turn rows into examples, in order.

    Args:
        rows: Checked rows.
        tokenizer: Of the base model.
        render: Words a prompt, as `training.prompts.word` decides it.

    Raises:
        RunRefused: The tokenizer has no end-of-text token.
    """
    if tokenizer.eos_token_id is None:
        raise RunRefused(
            "The base model's tokenizer has no end-of-text token, so an adapter could not learn to "
            "stop. Expected eos_token in tokenizer_config.json. Add the model's own there."
        )
    if not rows:
        return []
    prompts = tokenizer([render(row.prompt) for row in rows], add_special_tokens=False)
    completions = _completion_ids([row.output for row in rows], tokenizer)
    return [
        join(row.line, prompt, completion, tokenizer.eos_token_id)
        for row, prompt, completion in zip(rows, prompts["input_ids"], completions, strict=True)
    ]


def join(line: int, prompt: list[int], completion: list[int], eos: int) -> Example:
    """Put prompt and completion together and mask the prompt."""
    trained = [*completion, eos]
    return Example(line, [*prompt, *trained], [IGNORED] * len(prompt) + trained)


def _completion_ids(outputs: list[str], tokenizer: Tokenizer) -> list[list[int]]:
    """Tokenise completions as they follow a prompt.

    Some tokenizers put a space in front of every text; after a line break they do not.
    """
    alone, after_break, line_break = tokenizer(["a", "\na", "\n"], add_special_tokens=False)[
        "input_ids"
    ]
    if after_break == [*line_break, *alone]:
        return tokenizer(outputs, add_special_tokens=False)["input_ids"]
    shifted = tokenizer([f"\n{output}" for output in outputs], add_special_tokens=False)
    return [ids[len(line_break) :] for ids in shifted["input_ids"]]


def find_unfit(
    rows: Sequence[Row],
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    max_length_tokens: int,
) -> dict[int, Problem]:
    """Find rows that cannot be trained on once they are tokens, by line."""
    special = [token for token in tokenizer.all_special_tokens if token]
    unfit: dict[int, Problem] = {}
    for row, example in zip(rows, examples, strict=True):
        length = len(example.input_ids)
        token = next((item for item in special if item in row.prompt or item in row.output), None)
        if token is not None:
            message = f"the text holds {token!r}, a control token of the base model; reword it"
            unfit[row.line] = Problem(row.line, "special_token", message)
        elif length > max_length_tokens:
            message = f"{length} tokens, expected at most {max_length_tokens} (max_length_tokens)"
            unfit[row.line] = Problem(row.line, "too_long", message)
    return unfit


def preview(example: Example, tokenizer: Tokenizer) -> str:
    """Show an example as text, each trained token in square brackets."""
    prompt = [
        token
        for token, label in zip(example.input_ids, example.labels, strict=True)
        if label == IGNORED
    ]
    trained = [label for label in example.labels if label != IGNORED]
    shown = "".join(f"[{tokenizer.decode([token])}]" for token in trained)
    return tokenizer.decode(prompt) + shown.replace("\n]", "\\n]\n")


def length_line(examples: Sequence[Example]) -> str:
    """Say how long rows are in tokens, and how much of them is trained."""
    lengths = sorted(len(example.input_ids) for example in examples)
    trained = sum(sum(label >= 0 for label in example.labels) for example in examples)
    middle, late = (
        lengths[len(lengths) // 2],
        lengths[min(len(lengths) - 1, len(lengths) * 95 // 100)],
    )
    return (
        f"{sum(lengths):,} tokens, {trained / sum(lengths):.0%} of them trained; "
        f"per row {lengths[0]} to {lengths[-1]}, median {middle}, 95 % up to {late}"
    )
