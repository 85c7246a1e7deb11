"""Runs the app on a socket until told to stop, and then stops in the order clients need.

Readiness off, no new work, answers under way finish or end with an error, then the process ends.
"""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence

import uvicorn
from fastapi import FastAPI

from service.lifecycle import Lifecycle
from service.malformed import Http
from service.parts import Parts
from service.systemd import keep_told

# The last one comes when the terminal closes that it was started in.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# For the error events of streams that were cut to reach their clients.
CUT_WRITE_TIMEOUT_S = 2.0
WAITING_NOTICE_S = 10.0
KEEP_ALIVE_S = 75


async def serve(
    app: FastAPI,
    listeners: Sequence[socket.socket],
    *,
    drain_timeout_s: float,
    say: Callable[[str], None],
) -> BaseException | None:
    """Serve until a signal or a failure, and return the failure.

    Args:
        app: As `create_app` made it.
        listeners: Bound sockets.
        drain_timeout_s: How long answers under way may go on after the first signal.
        say: Takes one line for the person who started the server.
    """
    parts: Parts = app.state.parts
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        ws="none",
        # Of h11, which bounds the size of headers; httptools does not.
        http=Http,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(CUT_WRITE_TIMEOUT_S),
    )
    server = uvicorn.Server(config)
    _take_signals(app, parts.lifecycle, say)
    helpers = [
        asyncio.create_task(_stop_when_told(server, parts.lifecycle, drain_timeout_s)),
        asyncio.create_task(_tell_waiting(parts.lifecycle, say)),
        asyncio.create_task(keep_told(parts.lifecycle)),
    ]
    try:
        await server.serve(sockets=list(listeners))
    finally:
        for task in helpers:
            task.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)
    return parts.lifecycle.failure


def _take_signals(app: FastAPI, lifecycle: Lifecycle, say: Callable[[str], None]) -> None:
    """Take the signals over from uvicorn, which would close the port before draining."""
    inner = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            # `nohup` and service managers say so where a signal is to be ignored.
            if signal.getsignal(number) is signal.SIG_IGN:
                continue
            loop.add_signal_handler(number, _on_signal, number, lifecycle, say)
        async with inner(app):
            yield

    app.router.lifespan_context = lifespan


def _on_signal(number: signal.Signals, lifecycle: Lifecycle, say: Callable[[str], None]) -> None:
    if lifecycle.stopping.is_set():
        say(f"{number.name} again: ending at once")
        # The engine's processes end with their parent.
        os._exit(128 + number)
    say(f"{number.name}: no new work; {lifecycle.under_way} answers under way may finish")
    lifecycle.stopping.set()


async def _stop_when_told(
    server: uvicorn.Server, lifecycle: Lifecycle, drain_timeout_s: float
) -> None:
    await lifecycle.stopping.wait()
    await _until_none_under_way(lifecycle, drain_timeout_s)
    lifecycle.cut_all()
    await _until_none_under_way(lifecycle, CUT_WRITE_TIMEOUT_S)
    server.should_exit = True


async def _until_none_under_way(lifecycle: Lifecycle, timeout_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await lifecycle.idle()


async def _tell_waiting(lifecycle: Lifecycle, say: Callable[[str], None]) -> None:
    """While the server is not ready, say every now and then what it waits for."""
    started_s = time.monotonic()
    while True:
        await asyncio.sleep(WAITING_NOTICE_S)
        if lifecycle.waiting_for is None:
            started_s = time.monotonic()
        else:
            waited_s = time.monotonic() - started_s
            say(f"waiting for {lifecycle.waiting_for} ({waited_s:.0f} s)")
