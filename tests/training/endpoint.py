"""A service with one model, which says how likely a text is by counting letters."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Endpoint(BaseHTTPRequestHandler):
    """Echoes a prompt word by word; each token costs as many nats as it has letters."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if body["model"] != "known":
            self.answer(404, {"error": {"message": "no such model"}})
            return
        tokens = re.findall(r"\s*\S+|\s+$", body["prompt"]) if body.get("echo") else []
        tokens.append(" more")
        values = [None, *(-float(len(token.strip())) for token in tokens[1:])]
        choice = {
            "index": 0,
            "finish_reason": "length",
            "text": "".join(tokens),
            "logprobs": {
                "tokens": tokens,
                "token_logprobs": values,
                "text_offset": [0] * len(tokens),
                "top_logprobs": None,
            },
        }
        self.answer(
            200,
            {"id": "1", "object": "text_completion", "created": 0, "model": "known"}
            | {"choices": [choice]},
        )

    def answer(self, status: int, content: dict[str, object]) -> None:
        payload = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[str]:
    """The endpoint on a port of its own; gives its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
