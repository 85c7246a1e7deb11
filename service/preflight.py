"""What can be known to be wrong before the engine takes its minute to start."""

import errno
import socket
from pathlib import Path

from adapters.errors import AdapterError
from adapters.store import Store
from service.errors import StartError


def open_store(root: Path) -> Store:
    """Open a store and read its names once.

    Raises:
        StartError: It is not there or cannot be read.
    """
    store = Store(root)
    if root.exists() and not root.is_dir():
        raise StartError(
            f"The adapter store {root} is not a directory. Expected one written by `python -m "
            "training.sft` or `python -m adapters`, or a path where one may be made. Check --store."
        )
    try:
        store.names()
    except (AdapterError, OSError) as error:
        raise StartError(
            f"The adapter store {root} cannot be read: {error}. Expected a directory written by "
            "`python -m training.sft` or `python -m adapters`. Check --store."
        ) from error
    return store


def bind(host: str, port: int) -> socket.socket:
    """Take the port without listening yet, so that nobody can take it while the engine starts.

    Raises:
        StartError: It is taken, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sends small answers at once (TCP_NODELAY), else after 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise StartError(
                f"Port {port} on {host} is taken by another process. Expected a free port. Stop "
                f"that process (`ss -ltnp 'sport = :{port}'` names it) or choose another --port."
            ) from error
        raise StartError(
            f"Cannot listen on {host}, port {port}: {error.strerror}. Expected an address of this "
            "machine and a port this user may open. Check --host and --port."
        ) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """The URL under which a bound socket will be reached from this machine."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
