"""The rows of an optimizer step as tensors, without padding.

Rows are laid end to end; attention keeps them apart (see `training.forward`). A step
above the token limit is split into parts whose gradients add up to the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.encode import IGNORED, Example
from training.preferences import Pair


@dataclass(frozen=True, eq=False)
class Part:
    """Rows laid end to end.

    Attributes:
        input_ids: Token ids, (T,).
        targets: The id to predict at each position, `IGNORED` where nothing is trained, (T,).
        lengths: Tokens of each row; they add up to T.
        lines: Line of each row in its file.
    """

    input_ids: Tensor
    targets: Tensor
    lengths: tuple[int, ...]
    lines: tuple[int, ...]

    def to(self, device: torch.device) -> "Part":
        """Move the tensors to a device."""
        return Part(self.input_ids.to(device), self.targets.to(device), self.lengths, self.lines)


def make_parts(examples: Sequence[Example | Pair], max_tokens: int) -> list[Part]:
    """Lay the rows of one step end to end, in as few parts as the limit allows.

    Args:
        examples: The rows of one step; the two answers of a pair follow one another.
        max_tokens: Tokens of a part; a single longer row or pair is a part of its own.
    """
    parts: list[list[Example | Pair]] = []
    room = 0
    for example in sorted(examples, key=lambda example: -len(example.input_ids)):
        length = len(example.input_ids)
        if not parts or length > room:
            parts.append([])
            room = max_tokens
        parts[-1].append(example)
        room -= length
    return [_lay_out(part) for part in parts]


def trained_tokens(examples: Sequence[Example | Pair]) -> int:
    """Count the tokens of examples that something is predicted for."""
    singles = [single for example in examples for single in example.singles]
    return sum(label != IGNORED for single in singles for label in single.labels[1:])


def _lay_out(laid: Sequence[Example | Pair]) -> Part:
    examples = [single for example in laid for single in example.singles]
    ids = [token for example in examples for token in example.input_ids]
    targets = [label for example in examples for label in [*example.labels[1:], IGNORED]]
    return Part(
        input_ids=torch.tensor(ids),
        targets=torch.tensor(targets),
        lengths=tuple(len(example.input_ids) for example in examples),
        lines=tuple(example.line for example in examples),
    )
