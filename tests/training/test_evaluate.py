"""Answers are executed, counted by group, and recorded with the version that gave them."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from adapters.errors import UnknownAdapter
from training import evaluate
from training.asking import Service, ask
from training.errors import EvaluationFailed
from training.evaluate import Gold, golds_of, main, score, wilson
from training.rows import Row


def test_the_wilson_interval_is_that_of_the_textbook() -> None:
    share = wilson(8, 10)
    assert (share.share, round(share.low, 4), round(share.high, 4)) == (0.8, 0.4902, 0.9433)
    assert wilson(0, 20).low == 0.0
    assert round(wilson(0, 20).high, 4) == 0.1611
    assert wilson(20, 20).high == 1.0
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def test_programs_are_executed_and_counted_by_language_and_split() -> None:
    programs = ["return 1 + 1", "return 3", "nonsense", "return 1 / 2", "总 = 2\nreturn 总"]
    golds = [
        Gold("2", "en", "seen"),
        Gold("4", "en", "seen"),
        Gold("5", "en", "unseen"),
        Gold("0.5", "zh", "seen"),
        Gold("2", "zh", "seen"),
    ]
    scores = score(programs, golds)
    overall = scores.overall
    assert (overall.executed.count, overall.right.count, overall.abstained) == (4, 3, 1)
    assert (overall.right_when_executed.count, overall.right_when_executed.of) == (3, 4)
    assert {name: (s.right.count, s.right.of) for name, s in scores.groups.items()} == {
        "en/seen": (1, 2),
        "en/unseen": (0, 1),
        "zh/seen": (2, 2),
    }


def test_as_many_answers_as_questions_are_expected() -> None:
    with pytest.raises(ValueError, match="zip"):
        score(["return 1"], [Gold("1", "en", "seen"), Gold("1", "en", "seen")])


def test_a_row_without_a_gold_answer_is_refused() -> None:
    with pytest.raises(EvaluationFailed, match="the first at line 5"):
        golds_of([Row(5, "a", "b", None, {})], Path("rows.csv"))


class FakeService(BaseHTTPRequestHandler):
    """Answers every question with a sum of the numbers in it."""

    served_by = "sums@1"
    status = 200
    in_flight = 0
    most_in_flight = 0
    lock = threading.Lock()

    def do_POST(self) -> None:
        with self.lock:
            FakeService.in_flight += 1
            FakeService.most_in_flight = max(self.most_in_flight, self.in_flight)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        question = body["messages"][-1]["content"]
        assert body["temperature"] == 0.0
        answer = {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": self.served_by,
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": f"return {question}"},
                }
            ],
        }
        content = json.dumps(answer).encode()
        with self.lock:
            FakeService.in_flight -= 1
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(FakeService, "most_in_flight", 0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeService)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def held_out(tmp_path: Path) -> Path:
    path = tmp_path / "held-out.csv"
    lines = ["prompt,output,answer,language,split"]
    lines += [f"{a} + 1,return {a + 1},{a + 1},en,seen" for a in range(1, 20)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_questions_are_asked_with_bounded_concurrency_and_answers_keep_their_order(
    service: str,
) -> None:
    there = Service(service, SecretStr("key"), timeout_s=30, concurrency=2)
    answers = asyncio.run(ask(there, "sums", [str(number) for number in range(20)], None))
    assert answers.programs == [f"return {number}" for number in range(20)]
    assert answers.served_by == "sums@1"
    assert 1 <= FakeService.most_in_flight <= 2


def test_the_command_prints_a_table_without_recording(
    service: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    arguments = ["--url", service, "--model", "sums", "--rows", str(held_out(tmp_path))]
    assert main([*arguments, "--no-record", "--limit-rows", "10"]) == 0
    out = capsys.readouterr().out
    assert "en/seen" in out
    assert "100.0% (72.2%-100.0%)" in out


def test_results_are_recorded_with_the_version_that_answered(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[tuple[str, str, Any]] = []

    class MemoryStore:
        def __init__(self, root: Path) -> None:
            self.root = root

        def resolve(self, ref: str) -> "Version":
            if "@" not in ref:
                raise UnknownAdapter(ref)
            return Version(*ref.split("@"))

        def record_evaluation(self, name: str, number: str, results: dict[str, Any]) -> None:
            recorded.append((name, number, results))

    class Version:
        def __init__(self, name: str, number: str) -> None:
            self.name, self.number = name, number

    monkeypatch.setattr(evaluate, "Store", MemoryStore)
    arguments = ["--url", f"{service}/v1/", "--model", "sums", "--rows", str(held_out(tmp_path))]
    assert main(arguments) == 0
    ((name, number, results),) = recorded
    assert (name, number) == ("sums", "1")
    assert results["scores"]["overall"]["right"]["count"] == 19
    assert results["metrics"] == {"right": 1.0, "executed": 1.0}
    assert json.dumps(results)


def test_a_service_is_asked_for_what_the_version_in_the_store_was_trained_for(
    service: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trained = SimpleNamespace(manifest=SimpleNamespace(training={"task": "instruct"}))
    monkeypatch.setattr(
        evaluate, "Store", lambda root: SimpleNamespace(root=root, resolve=lambda _ref: trained)
    )
    rows = tmp_path / "rows.csv"
    rows.write_text("prompt,output\na,return a\nb,something else\n")
    arguments = ["--url", service, "--model", "sums", "--rows", str(rows), "--no-record"]
    assert main([*arguments, "--metric", "[exact]"]) == 0
    assert "exact 0.500" in capsys.readouterr().out


def test_other_tasks_are_scored_by_their_metrics_through_the_service(
    service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("prompt,output\na,return a\nb,something else\n")
    arguments = ["--url", service, "--model", "sums", "--rows", str(rows), "--task", "instruct"]
    assert main([*arguments, "--no-record", "--metric", "[exact]"]) == 0
    assert "0.500" in capsys.readouterr().out


@pytest.mark.parametrize("status", [404, 422])
def test_a_service_that_refuses_is_said_with_exit_code_two(
    service: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
) -> None:
    monkeypatch.setattr(FakeService, "status", status)
    arguments = ["--url", service, "--model", "sums", "--rows", str(held_out(tmp_path))]
    assert main(arguments) == 2
    assert "did not answer for 'sums'" in capsys.readouterr().err


def test_held_out_rows_with_mistakes_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("prompt,output,answer\na,return 1,2\n")
    assert main(["--url", "http://127.0.0.1:1", "--model", "m", "--rows", str(path)]) == 2
    assert "the program gives 1, but the answer is '2'" in capsys.readouterr().err
