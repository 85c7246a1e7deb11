"""Every spoiled file is reported at the right line, with the right code, and none crashes."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.training.spoiled import CORPUS, Spoiled
from training.codes import CODES
from training.data import main
from training.rows import read_rows
from training.tasks import TASKS

QUIET = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_the_corpus_is_large_and_names_each_file_once() -> None:
    names = [spoiled.name for spoiled in CORPUS]
    assert len(set(names)) == len(names) >= 25


@pytest.mark.parametrize("spoiled", CORPUS, ids=lambda spoiled: spoiled.name)
def test_a_spoiled_file_is_reported_at_its_lines(
    spoiled: Spoiled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"rows{spoiled.suffix}"
    path.write_bytes(spoiled.content)
    code = main(["check", str(path), "--task", spoiled.task, "--json"])
    report = json.loads(capsys.readouterr().out)
    found = [(problem["line"], problem["code"]) for problem in report["problems"]]
    assert found == spoiled.problems
    assert report["kept"] == spoiled.kept
    lost = any(CODES[name].gravity != "said" for _, name in spoiled.problems)
    assert code == (2 if spoiled.kept == 0 else 1 if lost else 0)


@pytest.mark.parametrize("spoiled", CORPUS, ids=lambda spoiled: spoiled.name)
def test_a_spoiled_file_can_be_shown_to_people(
    spoiled: Spoiled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"rows{spoiled.suffix}"
    path.write_bytes(spoiled.content)
    main(["check", str(path), "--task", spoiled.task])
    shown = capsys.readouterr().out
    for line, code in spoiled.problems:
        assert any(
            text.strip().startswith(f"line {line}:") and f"[{code}]" in text
            for text in shown.splitlines()
        )


BYTES = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(
        st.sampled_from(
            [b"prompt,output\n", b"prompt;output\r", b'"', b",", b"\n", b"\r\n", b"a", b"\x00",
             b"\xff", b'{"prompt": "a", ', b'"output": "b"}', b"[", b"]", b"{", b"}",
             "小明".encode(), "小明".encode("gbk"), b"\xef\xbb\xbf", b"\xff\xfe", b"NaN", b"\\"]
        )
    ).map(b"".join),
)  # fmt: skip


@QUIET
@given(
    content=BYTES,
    suffix=st.sampled_from([".csv", ".tsv", ".jsonl", ".json"]),
    task=st.sampled_from(list(TASKS)),
)
def test_no_bytes_whatever_crash_the_reader(
    content: bytes, suffix: str, task: str, tmp_path: Path
) -> None:
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(content)
    declared = next(found for name, found in TASKS.items() if name == task)
    sheet = read_rows(path, declared, {})
    assert sheet.rows or sheet.problems
    last = content.count(b"\n") + content.count(b"\r") + 1
    assert all(1 <= problem.line <= last for problem in sheet.problems)
    assert all(problem.code in CODES for problem in sheet.problems)


@QUIET
@given(
    rows=st.lists(
        st.tuples(st.text("ab ,\"\n;'é小", min_size=1), st.text("cd ,\"\n;'é明", min_size=1)),
        min_size=1,
        unique_by=lambda row: row[0].strip(),
    )
)
def test_what_a_csv_writer_writes_is_read_back_at_its_lines(
    rows: list[tuple[str, str]], tmp_path: Path
) -> None:
    import csv

    path = tmp_path / "rows.csv"
    expected = {}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["prompt", "output"])
        line = 2
        for prompt, output in rows:
            writer.writerow([prompt, output])
            if prompt.strip() and output.strip() not in ("", prompt.strip()):
                expected[line] = (prompt.strip(), output.strip("\n"))
            line += 1 + prompt.count("\n") + output.count("\n")
    sheet = read_rows(path, TASKS["instruct"], {})
    assert {row.line: (row.prompt, row.output) for row in sheet.rows} == expected
