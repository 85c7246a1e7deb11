"""Ctrl-C and SIGTERM as a request that the loop honours at the end of its step."""

import signal
from collections.abc import Iterator
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
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn the first signal into a request; a second one ends the process as usual."""
    request = StopRequest()
    before = {kind: signal.getsignal(kind) for kind in SIGNALS}

    def note(number: int, _frame: FrameType | None) -> None:
        request.signal = signal.Signals(number)
        for kind, handler in before.items():
            signal.signal(kind, handler)

    for kind in SIGNALS:
        signal.signal(kind, note)
    try:
        yield request
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
