"""A real Caddy on the configuration that is shipped; its name, certificate and replicas are the test's."""

import contextlib
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.deploy import programs
from tests.deploy.nginx import free_port, make_certificate

SHIPPED = Path(__file__).parents[2] / "deploy" / "proxies" / "Caddyfile"
WAIT_S = 10.0
# Nothing of it outside the test's directory: no other port, no authority in the system's list.
GLOBAL = """{{
\tadmin off
\tauto_https off
\tskip_install_trust
\tstorage file_system {root}/storage
}}

"""


class Caddy:
    """One Caddy.

    Attributes:
        url: Where clients find it.
    """

    def __init__(self, root: Path, replica: str) -> None:
        self._root = root
        self._port = free_port()
        self.url = f"https://127.0.0.1:{self._port}"
        make_certificate(root)
        config = root / "Caddyfile"
        config.write_text(GLOBAL.format(root=root) + self._changed(replica), encoding="utf-8")
        command = [str(programs.find("caddy")), "run", "--adapter", "caddyfile", "--config"]
        self._log = (root / "log").open("wb")
        self._process = subprocess.Popen(
            [*command, str(config)],
            stdout=self._log,
            stderr=self._log,
            env={"HOME": str(root), "XDG_DATA_HOME": str(root), "XDG_CONFIG_HOME": str(root)},
        )

    def _changed(self, replica: str) -> str:
        """The shipped file with the test's address, certificate and replica."""
        text = SHIPPED.read_text(encoding="utf-8")
        certificate = f"\ttls {self._root}/fullchain.pem {self._root}/privkey.pem\n"
        changes = {
            "loradock.example.org {\n": f"{self.url} {{\n{certificate}",
            "127.0.0.1:8000": replica,
        }
        for old, new in changes.items():
            assert text.count(old) == 1
            text = text.replace(old, new)
        return text

    def trust(self) -> ssl.SSLContext:
        """What a client needs to believe its certificate."""
        return ssl.create_default_context(cafile=str(self._root / "fullchain.pem"))

    def wait(self) -> None:
        """Until it takes connections and has found its replica healthy."""
        deadline_s = time.monotonic() + WAIT_S
        said = self._root / "log"
        while "serving initial configuration" not in said.read_text(encoding="utf-8"):
            assert self._process.poll() is None, said.read_text(encoding="utf-8")[-2000:]
            assert time.monotonic() < deadline_s
            time.sleep(0.02)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()


@contextlib.contextmanager
def before(root: Path, replica: str) -> Iterator[Caddy]:
    """A Caddy before this replica, until the block ends."""
    root.mkdir()
    started = Caddy(root, replica)
    try:
        started.wait()
        yield started
    finally:
        started.stop()
