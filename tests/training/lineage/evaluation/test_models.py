"""Likelihood of an output, in this process and through the endpoint, is the same thing."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from training.errors import EvaluationFailed
from training.lineage.evaluation.models import LocalModel, ServedModel, mean_after


def test_only_tokens_of_the_output_count() -> None:
    found = SimpleNamespace(
        tokens=["Pro", "mpt", "\n", "out", "put", " more"],
        token_logprobs=[None, -9.0, -9.0, -1.0, -3.0, -9.0],
    )
    assert mean_after(len("Prompt\n"), "Prompt\noutput", found) == -2


def test_a_beginning_of_text_token_in_front_shifts_nothing() -> None:
    found = SimpleNamespace(
        tokens=["<begin>", "Prompt\n", "output", "?"], token_logprobs=[None, -9.0, -2.0, -9.0]
    )
    assert mean_after(len("Prompt\n"), "Prompt\noutput", found) == -2


def test_an_echo_without_the_output_is_refused() -> None:
    found = SimpleNamespace(tokens=["Pro"], token_logprobs=[None])
    with pytest.raises(EvaluationFailed, match="no token of the output was scored"):
        mean_after(3, "Prooutput", found)


def test_a_local_model_scores_as_a_plain_forward_pass_does(tiny_base: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = LocalModel(tiny_base, None, "tiny")
    first, second = model.score("a prompt", ["an output", "another"])
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    plain = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
    prompt = tokenizer("[Input]\na prompt\n[Output]\n", add_special_tokens=False)["input_ids"]
    output = tokenizer("an output", add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logits = plain(torch.tensor([prompt + output])).logits[0]
    log_probabilities = torch.log_softmax(logits, -1)
    expected = [
        log_probabilities[len(prompt) - 1 + place, token].item()
        for place, token in enumerate(output)
    ]
    assert first == pytest.approx(sum(expected) / len(expected), abs=1e-5)
    assert first != second


def test_a_local_model_writes_no_more_than_it_may(tiny_base: Path) -> None:
    model = LocalModel(tiny_base, None, "tiny")
    written = model.write("a prompt", 7)
    assert written == model.write("a prompt", 7)
    assert len(written) <= 7


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
    model = ServedModel(url, "known", "key")
    assert model.score("a long prompt", ["aa bbbb", "c"]) == [-3, -1]
    assert model.write("a prompt", 5) == " more"


def test_a_model_that_is_not_there_ends_in_one_message(url: str) -> None:
    with pytest.raises(EvaluationFailed, match=r"did not answer for 'nobody'.*GET /v1/models"):
        ServedModel(url, "nobody", "key").write("a prompt", 5)
