"""A collector of traces for tests: OTLP over HTTP on loopback, which keeps what it is sent."""

import contextlib
import gzip
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

WAIT_S = 20.0


@dataclass
class Receiver:
    """What came.

    Attributes:
        url: Where it listens, without a path.
        paths: Where spans were sent to.
        spans: All of them.
        services: `service.name` of those who sent.
    """

    url: str = ""
    paths: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    services: set[str] = field(default_factory=set)

    def take(self, path: str, body: bytes) -> None:
        """Keep one message."""
        message = ExportTraceServiceRequest.FromString(body)
        self.paths.append(path)
        for group in message.resource_spans:
            for pair in group.resource.attributes:
                if pair.key == "service.name":
                    self.services.add(pair.value.string_value)
            self.spans += [span for scope in group.scope_spans for span in scope.spans]

    def wait_for(self, name: str) -> Span:
        """The first span of a name, once it has come."""
        deadline_s = time.monotonic() + WAIT_S
        while time.monotonic() < deadline_s:
            for span in list(self.spans):
                if span.name == name:
                    return span
            time.sleep(0.01)
        raise AssertionError(f"no span {name!r} came, only {[span.name for span in self.spans]}")


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen while the block lasts."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            receiver.take(self.path, body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
