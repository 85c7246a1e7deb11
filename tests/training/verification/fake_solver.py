"""A service that writes the programs a test tells it to, and can fail at a question."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeSolver:
    """What is written for each question, and what was asked.

    Args:
        programs: Programs by question, drawn in turn.
        fails_at: Questions that end in an error.
    """

    def __init__(self, programs: dict[str, list[str]], fails_at: tuple[str, ...] = ()) -> None:
        self.programs = programs
        self.fails_at = fails_at
        self.model = "pseudocode@1"
        self.asked: list[dict[str, Any]] = []

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        question = body["messages"][-1]["content"]
        if question in self.fails_at:
            return 400, {"error": {"message": "the engine is gone", "code": "refused"}}
        self.asked.append(body)
        written = self.programs[question]
        choices = [
            {
                "index": place,
                "finish_reason": "length" if written[place % len(written)] == "…" else "stop",
                "message": {"role": "assistant", "content": written[place % len(written)]},
            }
            for place in range(body["n"])
        ]
        return 200, {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": self.model,
            "choices": choices,
        }

    def known(self, path: str) -> tuple[int, dict[str, Any]]:
        if path.startswith("/v1/models/pseudocode"):
            return 200, {"id": self.model, "object": "model", "created": 0, "owned_by": "here"}
        return 404, {"error": {"message": "there is no such model", "code": "model_not_found"}}


@contextmanager
def serving(solver: FakeSolver) -> Iterator[str]:
    """Run it on a free port, and give its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*solver.known(self.path))

        def do_POST(self) -> None:
            self._send(
                *solver.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            )

        def _send(self, status: int, document: dict[str, Any]) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
