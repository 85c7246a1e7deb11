"""What a task declares. It knows nothing of tokens, models or files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from training.checks.cells import Fault
from training.reading.columns import Column

PLACEHOLDER = "{prompt}"

Check = Callable[[str, str, str | None], Sequence[Fault]]


def nothing_more(prompt: str, output: str, answer: str | None) -> Sequence[Fault]:  # noqa: ARG001 - a Check
    """The check of a task that demands no more than text."""
    return ()


@dataclass(frozen=True)
class Task:
    """One kind of training row.

    Attributes:
        prompt: The text around a prompt, with `{prompt}` once.
        demands: What an output must satisfy, in words.
        metrics: What its adapters are measured by; the first decides.
        probes: Prompts that a trained adapter answers otherwise than its base.
        check: Finds the faults of a prompt's output, given the gold answer if the row has one.
        columns: Columns that there must be.
        column_names: What they are called, where not as usual.
        chat_first: Use the base model's own chat template instead, if it has one.
        several_ways: Outputs of one prompt that come to the same gold answer are all kept.
        stop: Strings that end an answer, beside the end-of-text token.
        max_answer_tokens: The default limit of an answer when served.
    """

    prompt: str
    demands: str
    metrics: tuple[str, ...]
    probes: tuple[str, ...]
    check: Check = nothing_more
    columns: tuple[Column, ...] = ("prompt", "output")
    column_names: Mapping[Column, str] = field(default_factory=dict)
    chat_first: bool = False
    several_ways: bool = False
    stop: tuple[str, ...] = ()
    max_answer_tokens: int = 256

    @property
    def raw(self) -> bool:
        """Whether its rows are text without a prompt."""
        return "prompt" not in self.columns
