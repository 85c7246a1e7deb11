"""Which process of a launch this is: all compute, all agree, one writes. A plain run is one of one.

`accelerate launch -m training.sft` starts the processes; torch.distributed connects them.
"""

import os
from collections.abc import Iterable
from typing import TypeVar

from torch import Tensor, distributed, nn, tensor, zeros_like

T = TypeVar("T")


def count() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """The number of this one, from 0."""
    return int(os.environ.get("RANK", "0"))


def is_writer() -> bool:
    """Whether this process writes files, prints and publishes."""
    return rank() == 0


def connect() -> None:
    """Connect the processes, if there are several."""
    if count() > 1:
        # Picks the device of this process and the way to talk to the others.
        from accelerate import PartialState  # noqa: PLC0415 - seconds that a dry run need not wait

        PartialState()


def agree(value: T) -> T:
    """Give every process what the writer has."""
    if count() == 1:
        return value
    values = [value]
    distributed.broadcast_object_list(values, src=0)
    return values[0]


def any_of(flag: bool) -> bool:
    """Whether some process says so."""
    if count() == 1:
        return flag
    votes = tensor([int(flag)])
    add_up(votes)
    return bool(votes[0])


def add_up(values: Tensor) -> None:
    """Replace values by their sum over the processes."""
    if count() > 1:
        distributed.all_reduce(values)


def add_up_gradients(weights: Iterable[nn.Parameter]) -> None:
    """Replace the gradients of weights by their sum over the processes."""
    if count() == 1:
        return
    for weight in weights:
        if weight.requires_grad:
            if weight.grad is None:
                weight.grad = zeros_like(weight)
            add_up(weight.grad)


def wait() -> None:
    """Wait until every process is here."""
    if count() > 1:
        distributed.barrier()
