"""Every example of the dialect's page runs and gives what the page says."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pseudocode import grammar_text, parse, run
from pseudocode.errors import Code
from pseudocode.findings import check
from pseudocode.formatter import format_program

ROOT = Path(__file__).parents[2]
# What else the page says, about solving and training, is tried out where that is done.
SECTIONS = (
    "# The pseudocode dialect",
    "Straight",
    "Control",
    "Task",
    "Command line",
    "What is doubtful",
    "No answer",
    "One grammar",
)
PAGE = "\n## ".join(
    section
    for section in (ROOT / "docs" / "pseudocode.md").read_text(encoding="utf-8").split("\n## ")
    if section.split("\n")[0] in SECTIONS
)
PROGRAMS = re.findall(r"```text\n(.*?)```\n\nAnswer: `(.*?)`", PAGE, re.DOTALL)
WORDS = re.findall(r"^\| `(.*?)` \| `(.*[\u4e00-\u9fff].*?)` \|$", PAGE, re.MULTILINE)
(SHELL,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
LEAF, CLIENT = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def python(code: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_page_has_programs_in_both_languages() -> None:
    assert PAGE.count("\n## ") == len(SECTIONS) - 1
    assert len(PROGRAMS) == PAGE.count("```text") == 9
    assert sum("返回" in program for program, _ in PROGRAMS) == 4


@pytest.mark.parametrize(("source", "answer"), PROGRAMS)
def test_a_program_of_the_page_gives_its_answer(source: str, answer: str) -> None:
    result = run(source, answerer=lambda _question: "8")
    assert result.error is None
    assert result.answer == answer
    assert check(parse(source)) == ()
    # The page shows programs in their canonical form, but for the ends of decimals.
    text = format_program(parse(source), "zh" if "返回" in source else "en")
    assert text == source.replace("4.50", "4.5").replace("7.250", "7.25")


def test_the_words_of_both_languages_are_the_same_rows() -> None:
    assert len(WORDS) == 10
    for english, chinese in WORDS:
        assert [kinds(english)] == [kinds(chinese)]


def kinds(row: str) -> list[str]:
    row = row.replace("…", "a")
    if row.startswith(("else", "否则")):
        row = f"if 1 then\na = 1\n{row}\na = 1\nend"
    elif row.startswith(("if", "如果", "repeat", "重复", "while", "当", "for", "对")):
        row = f"{row}\na = 1\nend"
    elif row in ("end", "结束"):
        row = f"if 1 then\na = 1\n{row}"
    source = row if row.startswith(("return", "返回")) else f"{row}\nreturn 1"
    return [line.kind for line in parse(source).lines]


@pytest.mark.parametrize("command", SHELL.splitlines())
def test_a_command_of_the_page_succeeds(command: str) -> None:
    ended = subprocess.run(
        ["/bin/bash", "-c", command.replace(".venv/bin/python", sys.executable)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout


def test_the_leaf_example_prints_its_answer() -> None:
    assert python(LEAF) == "24 ['8', '24']\n"


def test_the_page_names_every_code_and_no_other() -> None:
    section = PAGE.split("## No answer")[1].split("## One grammar")[0]
    first_column = "".join(line.split("|")[1] for line in section.splitlines() if "|" in line)
    named = set(re.findall(r"`(\w+)`", first_column))
    assert named == set(Code)


@pytest.fixture
def server() -> Iterator[tuple[int, list[dict[str, object]]]]:
    """Answers every chat request with a program, and keeps what it was asked."""
    requests: list[dict[str, object]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            message = {"role": "assistant", "content": "left = 12 - 5\nreturn left"}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            body = {"id": "1", "object": "chat.completion", "created": 0, "model": "pseudocode"}
            content = json.dumps({**body, "choices": [choice]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield listening.server_address[1], requests
        listening.shutdown()
        thread.join()


def test_the_client_example_sends_the_grammar_and_runs_the_reply(
    server: tuple[int, list[dict[str, object]]],
) -> None:
    port, requests = server
    assert ":8000" in CLIENT
    assert python(CLIENT.replace(":8000", f":{port}")) == "7\n"
    (request,) = requests
    assert request["structured_outputs"] == {"grammar": grammar_text(comments=False)}
