"""What can be known to be wrong before the engine takes its minute to start."""

import errno
import socket
from collections.abc import Iterator
from pathlib import Path

from adapters import bases
from adapters.errors import AdapterError
from adapters.manifest import Manifest
from adapters.store import Store, Version
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


def unfit(store: Store, base_dir: Path, max_lora_rank: int | None) -> list[str]:
    """What aliases serve and these settings cannot, by the manifests; the gate looks at files later.

    Args:
        store: Where adapters come from.
        base_dir: The base model.
        max_lora_rank: The highest rank that was asked for; None: it is chosen later.

    Raises:
        StartError: Of all that aliases serve, nothing can be served.
        BaseModelError: The base's own files cannot be read.
    """
    digest = bases.config_sha256(base_dir)
    found = [
        (str(version), _why_not(version.manifest, digest, max_lora_rank))
        for version in _aliased(store)
    ]
    reasons = [f"{version} cannot be served: {why}" for version, why in found if why]
    if reasons and len(reasons) == len(found):
        raise StartError(
            f"None of the adapters that {store.root} serves can be served with these settings. "
            f"{reasons[0]}. Expected at least one that can. Name their base with --base, or "
            "another store with --store; an empty one serves the base alone."
        )
    return reasons


def _aliased(store: Store) -> Iterator[Version]:
    """What aliases point at, once each; what cannot be read now is told when it is docked."""
    for name in store.names():
        try:
            for number in sorted(set(store.aliases(name).values())):
                yield store.version(name, number)
        except (AdapterError, OSError):
            continue


def _why_not(manifest: Manifest, base_sha256: str, max_lora_rank: int | None) -> str | None:
    if manifest.base.config_sha256 != base_sha256:
        return f"it was made for another base, {manifest.base.id!r}"
    if max_lora_rank is not None and manifest.lora.rank > max_lora_rank:
        return f"its rank is {manifest.lora.rank}, and max_lora_rank is {max_lora_rank}"
    return None


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
