"""`python -m pseudocode` for people and for programs."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pseudocode.cli import main

Capture = pytest.CaptureFixture[str]


def give(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def write(folder: Path, content: str) -> str:
    file = folder / "program.txt"
    file.write_text(content, encoding="utf-8")
    return str(file)


def test_a_person_sees_each_line_and_the_answer(tmp_path: Path, capsys: Capture) -> None:
    assert main(["run", write(tmp_path, "总数 = 3*4.50\n\nleft = 20 - 总数\nreturn left\n")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "line  name    value  expression",
        "   1  总数    13.5   3*4.50",
        "   3  left    6.5    20 - 总数",
        "   4  return  6.5    left",
        "answer: 6.5",
    ]


def test_a_program_gets_json_from_stdin(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    give(monkeypatch, b"a = 1 / 3\nreturn a")
    assert main(["run", "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "answer": "1/3",
        "trace": [
            {"line": 1, "name": "a", "value": "1/3", "expression": "1 / 3"},
            {"line": 2, "name": "return", "value": "1/3", "expression": "a"},
        ],
        "steps": 3,
        "error": None,
    }


def test_a_program_without_an_answer_exits_with_1_and_says_where(
    tmp_path: Path, capsys: Capture
) -> None:
    file = write(tmp_path, "a = 7 - 7\nreturn 1 / a\n")
    assert main(["run", file]) == 1
    output = capsys.readouterr()
    assert "answer:" not in output.out
    assert "   1  a     0      7 - 7" in output.out
    assert output.err.startswith("no answer: line 2: The line computes 1 / 0;")
    assert output.err.endswith("[division_by_zero]\n")
    assert main(["run", file, "--json"]) == 1
    output = capsys.readouterr()
    assert output.err == ""
    document = json.loads(output.out)
    assert (document["answer"], len(document["trace"]), document["steps"]) == (None, 1, 3)
    assert (document["error"]["code"], document["error"]["line"]) == ("division_by_zero", 2)


def test_check_names_doubtful_lines_and_exits_with_1(tmp_path: Path, capsys: Capture) -> None:
    file = write(tmp_path, "a = 5 + 17\nb = a * 2\nreturn a\n")
    assert main(["check", file, "--question", "5 birds and 16 more"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [re.sub(r":.*\[", " ", line) for line in lines] == [
        "line 1 ungrounded_literal]",
        "line 2 unused_step]",
    ]
    assert main(["check", file, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["error"] is None
    assert [(item["code"], item["line"]) for item in document["findings"]] == [("unused_step", 2)]


def test_check_passes_a_sound_program(tmp_path: Path, capsys: Capture) -> None:
    file = write(tmp_path, "a = 5 + 16\nreturn a\n")
    assert main(["check", file, "--question", "5 birds and 16 more"]) == 0
    assert capsys.readouterr().out == "nothing doubtful\n"


@pytest.mark.parametrize(
    ("source", "code"), [("a = 5", "no_return"), ("a = 1\nreturn a / 0", "division_by_zero")]
)
def test_check_fails_a_program_without_an_answer(
    tmp_path: Path, capsys: Capture, source: str, code: str
) -> None:
    file = write(tmp_path, source)
    assert main(["check", file]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert f"[{code}]" in output.err
    assert main(["check", file, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["findings"] == []
    assert document["error"]["code"] == code


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
@pytest.mark.parametrize("command", ["run", "check"])
def test_a_file_that_cannot_be_read_exits_with_2(
    tmp_path: Path, capsys: Capture, command: str, content: bytes | None
) -> None:
    file = tmp_path / "p.txt"
    if content is not None:
        file.write_bytes(content)
    assert main([command, str(file)]) == 2
    error = capsys.readouterr().err
    assert str(file) in error
    assert "expected a UTF-8 text file" in error


@pytest.mark.parametrize("argv", [[], ["run"], ["walk", "-"], ["run", "-", "--js"]])
def test_wrong_usage_exits_with_2(capsys: Capture, argv: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "usage: python -m pseudocode" in capsys.readouterr().err


def test_a_byte_order_mark_is_no_part_of_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    give(monkeypatch, b"\xef\xbb\xbfreturn 5 + 1\r\n")
    assert main(["run", "-"]) == 0
    assert "answer: 6" in capsys.readouterr().out


def test_an_endless_file_is_refused_and_not_read(capsys: Capture) -> None:
    assert main(["run", "/dev/zero"]) == 1
    assert "[source_too_long]" in capsys.readouterr().err


def test_the_example_of_the_help_prints_what_the_help_says(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    help_text = capsys.readouterr().out
    command = re.search(r"printf '(.*)' \| python -m pseudocode (run) (-)\n", help_text)
    assert command
    promised = help_text.split("prints\n", 1)[1].rstrip("\n")
    give(monkeypatch, command[1].replace(r"\n", "\n").encode())
    assert main([command[2], command[3]]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [f"  {line}" for line in printed] == promised.splitlines()


BLOCKS = "n = 3\nif n>2 then\nn = 20%\n结束\nreturn n"


@pytest.mark.parametrize(
    ("argv", "source", "printed"),
    [
        (["format", "-"], BLOCKS, "n = 3\nif n > 2 then\n  n = 20%\nend\nreturn n\n"),
        (
            ["format", "-", "--language", "zh"],
            BLOCKS,
            "n = 3\n如果 n > 2 那么\n  n = 20%\n结束\n返回 n\n",
        ),
        (["to-python", "-"], "return 2 * 3", "def solution():\n    return 2 * 3\n"),
        (["from-python", "-"], "x = 2\nprint(x // 1)", "x = 2\nreturn x // 1\n"),
        (["from-python", "-", "--language", "zh"], "print(2)", "返回 2\n"),
    ],
)
def test_a_program_is_written_in_another_form(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, argv: list[str], source: str, printed: str
) -> None:
    give(monkeypatch, source.encode())
    assert main(argv) == 0
    assert capsys.readouterr() == (printed, "")


@pytest.mark.parametrize(
    ("command", "source", "complaint"),
    [
        ("format", "a = 1\nreturn", "not written: line 2: The line `return` has"),
        ("to-python", 'return "a"', "not written: line 1: The line has `a text`"),
        ("from-python", "x = 1\nimport os", "not written: line 2: The Python text has"),
    ],
)
def test_what_cannot_be_written_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, command: str, source: str, complaint: str
) -> None:
    give(monkeypatch, source.encode())
    assert main([command, "-"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(complaint)


def test_a_level_can_be_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    for level, code in (("straight", 1), ("control", 0), ("task", 0)):
        give(monkeypatch, BLOCKS.encode())
        assert main(["run", "-", "--level", level]) == code
    capsys.readouterr()


def test_the_trace_of_a_loop_has_a_step_per_round(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    give(monkeypatch, "重复 2 次\na = 1\n结束\n返回 a".encode())
    assert main(["run", "-", "--json"]) == 0
    trace = json.loads(capsys.readouterr().out)["trace"]
    assert [tuple(step.values()) for step in trace] == [
        (1, "repeat", "2", "2"),
        (2, "a", "1", "1"),
        (2, "a", "1", "1"),
        (4, "return", "1", "a"),
    ]


def test_the_module_runs() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "pseudocode", "run", "-"],
        input="return 6 * 7",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith("answer: 42\n")
