"""A real nginx on the configuration that is shipped; its ports, paths and servers are the test's."""

import contextlib
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.deploy import programs

SHIPPED = Path(__file__).parents[2] / "deploy" / "proxies" / "nginx.conf"
WAIT_S = 10.0
# What a distribution's nginx.conf has around the file, with everything it writes in one directory.
AROUND = """
daemon off;
worker_processes 2;
pid {root}/pid;
error_log {root}/error.log warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    include {root}/loradock.conf;
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_certificate(root: Path) -> None:
    """A certificate for this machine alone, with its key."""
    subprocess.run(
        [
            *(
                str(programs.find("openssl")),
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ),
            *("-nodes", "-days", "2", "-subj", "/CN=loradock.example.org"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(root / "privkey.pem"), "-out", str(root / "fullchain.pem")),
        ],
        check=True,
        capture_output=True,
    )


class Nginx:
    """One nginx.

    Args:
        root: Where it keeps its files.
        servers: Addresses of the replicas.

    Attributes:
        url: Where clients find it.
    """

    def __init__(self, root: Path, servers: Sequence[str]) -> None:
        self._root = root
        self._port = free_port()
        self.url = f"https://127.0.0.1:{self._port}"
        make_certificate(root)
        self._write(servers)
        around = root / "nginx.conf"
        around.write_text(AROUND.format(root=root), encoding="utf-8")
        self._process = subprocess.Popen(
            [str(programs.find("nginx")), "-e", "stderr", "-c", str(around)]
        )

    def trust(self) -> ssl.SSLContext:
        """What a client needs to believe its certificate."""
        return ssl.create_default_context(cafile=str(self._root / "fullchain.pem"))

    def _write(self, servers: Sequence[str]) -> None:
        """The shipped file, changed where it says that it may be."""
        text = SHIPPED.read_text(encoding="utf-8")
        line = "    server 127.0.0.1:8000 max_fails=0;\n"
        lines = "".join(line.replace("127.0.0.1:8000", server) for server in servers)
        changes = {
            line: lines,
            "listen 8443": f"listen 127.0.0.1:{self._port}",
            "/etc/loradock/tls": str(self._root),
        }
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        (self._root / "loradock.conf").write_text(text, encoding="utf-8")

    def point_at(self, *servers: str) -> None:
        """What `nginx -s reload` does; returns when no worker takes requests by the old file."""
        old = self._workers()
        self._write(servers)
        self._process.send_signal(signal.SIGHUP)
        self._wait(lambda: not old & self._workers(), "its old workers go on")

    def _workers(self) -> set[str]:
        """Those that take requests; one that is shutting down ends what it has begun."""
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return {pid for pid in path.read_text(encoding="ascii").split() if _takes_requests(pid)}

    def wait(self) -> None:
        self._wait(self._listens, "it does not listen")

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
            return True
        return False

    def _wait(self, condition: Callable[[], bool], complaint: str) -> None:
        deadline_s = time.monotonic() + WAIT_S
        while not condition():
            assert self._process.poll() is None, "nginx ended"
            assert time.monotonic() < deadline_s, complaint
            time.sleep(0.02)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


def _takes_requests(pid: str) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return b"is shutting down" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


@contextlib.contextmanager
def before(root: Path, *servers: str) -> Iterator[Nginx]:
    """An nginx before these replicas, until the block ends."""
    root.mkdir()
    started = Nginx(root, servers)
    try:
        started.wait()
        yield started
    finally:
        started.stop()
