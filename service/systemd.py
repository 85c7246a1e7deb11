"""Tells systemd what it asks to be told: ready, what we wait for, still alive, stopping.

Without systemd's socket in the environment nothing happens. The protocol is sd_notify(3).
"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping

from service.lifecycle import Lifecycle

CHECK_S = 0.5
# Of the watchdog's time, how much may pass between two signs of life.
WATCHDOG_SHARE = 3


class Notifier:
    """The other end of systemd's socket.

    Args:
        send: Takes one message.
        watchdog_s: Systemd ends a service it has not heard of for so long; None: it does not watch.
    """

    def __init__(self, send: Callable[[str], None], watchdog_s: float | None) -> None:
        self._send = send
        self._every_s = None if watchdog_s is None else watchdog_s / WATCHDOG_SHARE
        self._alive_at_s = float("-inf")
        self._told = ""

    def look(self, lifecycle: Lifecycle, now_s: float) -> None:
        """Tell what has changed, and that we are alive if it is time to."""
        reasons = lifecycle.reasons()
        state = "STOPPING=1" if lifecycle.stopping.is_set() else "" if reasons else "READY=1"
        message = "\n".join(filter(None, [state, f"STATUS={'; '.join(reasons) or 'serving'}"]))
        if message != self._told:
            self._send(message)
            self._told = message
        if self._every_s is not None and now_s - self._alive_at_s >= self._every_s:
            self._send("WATCHDOG=1")
            self._alive_at_s = now_s


async def keep_told(lifecycle: Lifecycle, environment: Mapping[str, str] = os.environ) -> None:
    """Tell systemd until cancelled; return at once where there is none.

    The signs of life come from the event loop, so one that is blocked gives none.
    """
    address = environment.get("NOTIFY_SOCKET")
    if not address:
        return
    microseconds = environment.get("WATCHDOG_USEC")
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        # A leading @ stands for the abstract namespace.
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        watchdog_s = int(microseconds) / 1e6 if microseconds else None
        notifier = Notifier(lambda message: channel.sendall(message.encode()), watchdog_s)
        while True:
            notifier.look(lifecycle, loop.time())
            await asyncio.sleep(CHECK_S)
