"""Ctrl-C and SIGTERM as a request that the loop honours at the end of its step."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether the run was asked to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    @property
    def requested(self) -> bool:
        """Whether to stop."""
        return self.signal is not None


@contextmanager
def stop_on_signals(tell: Callable[[str], None]) -> Iterator[StopRequest]:
    """Turn the first signal into a request; a second one ends the process as usual.

    Args:
        tell: Told at once that the request was heard, since a step may take long.
    """
    request = StopRequest()
    before = {kind: signal.getsignal(kind) for kind in SIGNALS}

    def note(number: int, _frame: FrameType | None) -> None:
        request.signal = signal.Signals(number)
        for kind, handler in before.items():
            signal.signal(kind, handler)
        tell(
            f"{request.signal.name}: stopping at the end of this step, which saves a checkpoint. "
            "Once more ends it at once; the last checkpoint stays."
        )

    for kind in SIGNALS:
        signal.signal(kind, note)
    try:
        yield request
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
