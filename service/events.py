"""What happened lately to versions, aliases, keys and the engine: for `/admin/events` and the log.

Bounded. What happens again and again is one event with a count, so that a client with a wrong key
cannot push everything else out.
"""

import itertools
import time
from collections import deque
from dataclasses import dataclass
from typing import Literal

import structlog

log = structlog.get_logger(__name__)

KEPT_EVENTS = 1000

Kind = Literal[
    "alias_kept",
    "alias_moved",
    "canary_ended",
    "canary_started",
    "dock_failed",
    "docked",
    "engine_back",
    "engine_died",
    "engine_restart_failed",
    "key_refused",
    "keys_read",
    "keys_unreadable",
    "not_docked",
    "pinned",
    "store_readable",
    "store_unreadable",
    "traffic_unreadable",
    "undocked",
    "unpinned",
    "unprobed",
]
# What clients without a key can cause at will, in any order: one event each, whatever came between.
FROM_ANYBODY = frozenset({"key_refused"})
WARNINGS = frozenset({"alias_kept", "dock_failed", "key_refused", "not_docked"})
ERRORS = frozenset(
    {
        "engine_died",
        "engine_restart_failed",
        "keys_unreadable",
        "store_unreadable",
        "traffic_unreadable",
    }
)


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        number: Rises with every event; a repeated one gets a new number.
        at_unix_s: When, the last time.
        subject: A version (`name@3`), an alias, an adapter, a key's id or a part of the server.
        count: How many times since it was first noted.
    """

    number: int
    at_unix_s: float
    kind: Kind
    subject: str
    reason: str
    count: int = 1


class Events:
    """The last events, oldest first."""

    def __init__(self) -> None:
        self._kept: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._numbers = itertools.count(1)

    def note(self, kind: Kind, subject: str, reason: str = "", **figures: float) -> None:
        """Keep an event and log it.

        Args:
            kind: What happened.
            subject: To what.
            reason: Why, for people.
            figures: What goes into the log line besides.
        """
        say = log.error if kind in ERRORS else log.warning if kind in WARNINGS else log.info
        say(kind, subject=subject, **({"reason": reason} if reason else {}), **figures)
        before = self._same(kind, subject, reason)
        if before is not None:
            self._kept.remove(before)
        count = 1 if before is None else before.count + 1
        event = Event(next(self._numbers), time.time(), kind, subject, reason, count)
        self._kept.append(event)

    def _same(self, kind: Kind, subject: str, reason: str) -> Event | None:
        """The event that this would repeat: the last one, or any if everybody can cause it."""
        candidates = self._kept if kind in FROM_ANYBODY else list(self._kept)[-1:]
        wanted = (kind, subject, reason)
        same = (
            event for event in candidates if (event.kind, event.subject, event.reason) == wanted
        )
        return next(same, None)

    def after(self, number: int, limit: int) -> list[Event]:
        """The last `limit` events of those after the one numbered `number`, oldest first."""
        return [event for event in self._kept if event.number > number][-limit:]
