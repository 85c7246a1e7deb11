"""Ports that are free and ports that are held, services that answer and that do not."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from service.doctor import network


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_is_held_is_told_with_its_holder(taken: int) -> None:
    found = network.port("port", "127.0.0.1", taken)
    assert found.state == "failed"
    assert f"held by process {os.getpid()}: " in found.found
    assert f"kill {os.getpid()}" in found.remedy


def test_a_port_that_is_let_go_is_free(taken: int) -> None:
    with contextlib.closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        free = other.getsockname()[1]
    assert network.port("port", "127.0.0.1", free).state == "ok"
    assert network.port("port", "127.0.0.1", 0).state == "not applicable"


def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    found = network.port("port", "192.0.2.1", 8000)
    assert found.state == "failed"
    assert "Cannot listen" in found.found


def test_a_port_that_the_service_holds_is_a_warning() -> None:
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    command = [sys.executable, "-c", code, "-m service"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        port = int(holder.stdout.readline())
        found = network.port("port", "127.0.0.1", port)
        holder.communicate("\n")
    assert found.state == "warning"
    assert f"--url http://127.0.0.1:{port}" in found.remedy


class Answers(BaseHTTPRequestHandler):
    """Answers what `statuses` says for a path."""

    statuses: dict[str, int]

    def do_GET(self) -> None:
        self.send_response(self.statuses.get(self.path, 404))
        self.end_headers()
        self.wfile.write(b'{"status": "so"}')

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("live", "ready", "state", "said"),
    [
        (200, 200, "ok", "alive and ready"),
        (200, 503, "warning", 'not ready (503): {"status": "so"}'),
        (404, 404, "failed", "/health/live answers 404"),
    ],
)
def test_a_running_service_is_asked(
    url: str, monkeypatch: pytest.MonkeyPatch, live: int, ready: int, state: str, said: str
) -> None:
    # A proxy must not stand between this machine and itself.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    Answers.statuses = {"/health/live": live, "/health/ready": ready}
    found = network.answering(url)
    assert found.state == state
    assert said in found.found


def test_where_nothing_answers_the_check_fails(taken: int) -> None:
    assert network.answering(None).state == "not applicable"
    assert network.answering("ftp://127.0.0.1").state == "failed"
    with contextlib.closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
    found = network.answering(url)
    assert found.state == "failed"
    assert "refused" in found.found


def test_a_collector_of_traces_must_be_there(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert network.collector(None).state == "not applicable"
    assert network.collector(f"http://127.0.0.1:{taken}").state == "ok"
    with contextlib.closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        found = network.collector(f"http://127.0.0.1:{other.getsockname()[1]}/v1/traces")
    assert (found.state, "spans are lost" in found.remedy) == ("warning", True)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    for name in [name for name in sys.modules if name.split(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    assert network.collector(f"http://127.0.0.1:{taken}").state == "failed"
