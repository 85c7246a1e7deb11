"""The words for a version in the engine: its key, its berth, and why it could not be docked."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from service.engine.protocol import DockedAdapter

State = Literal["docking", "docked", "draining", "leaving", "lost"]


class Key(NamedTuple):
    """One immutable version."""

    name: str
    number: int

    def __str__(self) -> str:
        """What clients call it: `name@3`."""
        return f"{self.name}@{self.number}"


@dataclass(eq=False)
class Berth:
    """One version in the engine, on its way in, or on its way out.

    Attributes:
        leases: Requests that hold the version, those waiting for it to be docked included.
        used_at_s: When it was last leased or released, on the monotonic clock.
        arrival: The task that docks it; done once the version answers, or has failed.
        let_go: Lets go of its files in the store.
    """

    key: Key
    adapter: DockedAdapter
    state: State = "docking"
    leases: int = 0
    used_at_s: float = 0.0
    arrival: "asyncio.Task[None] | None" = None
    let_go: Callable[[], None] | None = None


@dataclass(frozen=True)
class Failure:
    """Why a version could not be docked, and when that was on the monotonic clock."""

    reason: str
    at_s: float
