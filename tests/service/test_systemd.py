"""systemd hears when the service is ready, what it waits for, that it lives, and that it stops."""

import asyncio
import contextlib
import socket
from pathlib import Path

from service.lifecycle import Lifecycle
from service.systemd import Notifier, keep_told


def test_each_change_is_told_once() -> None:
    told: list[str] = []
    lifecycle = Lifecycle()
    notifier = Notifier(told.append, watchdog_s=None)
    for _ in range(3):
        notifier.look(lifecycle, 0.0)
    lifecycle.waiting_for = None
    notifier.look(lifecycle, 1.0)
    lifecycle.stopping.set()
    notifier.look(lifecycle, 2.0)
    assert told == [
        "STATUS=waiting for the engine to start",
        "READY=1\nSTATUS=serving",
        "STOPPING=1\nSTATUS=the server is shutting down",
    ]


def test_a_sign_of_life_comes_three_times_in_the_watchdogs_time() -> None:
    told: list[str] = []
    notifier = Notifier(told.append, watchdog_s=6.0)
    for half_second in range(24):
        notifier.look(Lifecycle(), half_second / 2)
    assert told.count("WATCHDOG=1") == 6


async def test_messages_reach_the_socket_that_systemd_names(tmp_path: Path) -> None:
    lifecycle = Lifecycle()
    lifecycle.waiting_for = None
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000000"}
        telling = asyncio.create_task(keep_told(lifecycle, environment))
        loop = asyncio.get_running_loop()
        heard = [await loop.sock_recv(systemd, 200) for _ in range(2)]
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await telling
    assert heard == [b"READY=1\nSTATUS=serving", b"WATCHDOG=1"]


async def test_without_systemd_nothing_happens() -> None:
    await asyncio.wait_for(keep_told(Lifecycle(), {}), timeout=1)
