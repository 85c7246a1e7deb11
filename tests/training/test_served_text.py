"""What a service says of a text: its likelihood, and how it goes on."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from training.errors import EvaluationFailed
from training.served_text import ServedModel, those_after
from training.tasks import TASKS

TASK = TASKS["evolution"]


def test_only_tokens_of_the_output_count() -> None:
    found = SimpleNamespace(
        tokens=["Pro", "mpt", "\n", "out", "put", " more"],
        token_logprobs=[None, -9.0, -9.0, -1.0, -3.0, -9.0],
    )
    assert those_after(len("Prompt\n"), "Prompt\noutput", found) == [-1.0, -3.0]


def test_a_beginning_of_text_token_in_front_shifts_nothing() -> None:
    found = SimpleNamespace(
        tokens=["<begin>", "Prompt\n", "output", "?"], token_logprobs=[None, -9.0, -2.0, -9.0]
    )
    assert those_after(len("Prompt\n"), "Prompt\noutput", found) == [-2.0]


def test_an_echo_without_the_output_is_refused() -> None:
    found = SimpleNamespace(tokens=["Pro"], token_logprobs=[None])
    with pytest.raises(EvaluationFailed, match="no token of the output was scored"):
        those_after(3, "Prooutput", found)


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


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_a_served_model_is_scored_over_its_output_alone(url: str) -> None:
    model = ServedModel(url, "known", "key", TASK)
    assert model.score("a long prompt", ["aa bbbb", "c"]) == [-3, -1]
    assert model.write("a prompt", 5) == " more"


def test_a_model_that_is_not_there_ends_in_one_message(url: str) -> None:
    with pytest.raises(EvaluationFailed, match=r"did not answer for 'nobody'.*GET /v1/models"):
        ServedModel(url, "nobody", "key", TASK).write("a prompt", 5)
