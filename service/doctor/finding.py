"""What one check has found: a state, what there is, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "failed", "not applicable"]


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        name: What was looked at.
        state: `failed` is what keeps the service from working as it should.
        found: What there is.
        remedy: What to do; empty where nothing needs to be done.
    """

    name: str
    state: State
    found: str
    remedy: str = ""


def not_applicable(name: str, why: str) -> Finding:
    """A check that has nothing to look at here."""
    return Finding(name, "not applicable", why)
