"""The counter that programs are given."""


class Operations:
    """Counts the operations of one run."""

    def __init__(self) -> None:
        self.total = 0

    def count(self, times: int = 1) -> None:
        """Note that an operation was done, once or several times."""
        self.total += times
