"""What can go wrong while lineages are read, measured, turned into rows or evaluated."""

from collections.abc import Sequence

from training.errors import TrainingError


class LineageError(TrainingError):
    """Something about lineages cannot be done; the text says what, and what to do."""

    code = "lineage_refused"


class LineagesRefused(LineageError):  # noqa: N818 - the name says what happened
    """Files of lineages have mistakes; every one is named."""

    def __init__(self, findings: Sequence[object]) -> None:
        listed = "\n".join(f"  {finding}" for finding in findings)
        super().__init__(
            f"{len(findings)} mistake(s) in the lineages, expected none:\n{listed}\n"
            "Mend the files; `python -m training.lineage check` reads them again."
        )
        self.findings = list(findings)
