"""What fsck finds wrong with one adapter, and what it did about it."""

from dataclasses import dataclass, field

from adapters import records
from adapters.layout import Home


@dataclass(frozen=True)
class Problem:
    """Something that is not as it was written.

    Attributes:
        code: Stable, for programs.
        where: The version, alias or file.
        message: What is wrong and what to do.
        mended: What was done about it, `None` if nothing.
    """

    code: str
    where: str
    message: str
    mended: str | None = None

    def __str__(self) -> str:
        """One line for people."""
        return f"[{self.code}] {self.where}: {self.message}" + (
            f" Mended: {self.mended}." if self.mended else ""
        )


@dataclass
class Visit:
    """One adapter being looked at; the lock is held."""

    home: Home
    repair: bool
    state: records.State = field(default_factory=records.State)
    problems: list[Problem] = field(default_factory=list)

    def note(self, code: str, where: str, message: str, mended: str | None = None) -> None:
        """Report a problem; `mended` is only true when repairing."""
        done = mended if self.repair else None
        self.problems.append(Problem(code, f"{self.home.name}{where}", message, done))

    def save(self) -> None:
        """Write the state if repairing."""
        if self.repair:
            records.save(self.home, self.state)
