"""Everything wrong with a file of rows is found, at its line."""

from pathlib import Path

import pytest

from training.errors import RowsRefused
from training.rows import Column, Sheet, read_rows
from training.tasks import TASKS

GOOD = '{"prompt": "1 and 2?", "output": "return 1 + 2"}\n'


def read(
    tmp_path: Path,
    content: str | bytes,
    name: str = "rows.csv",
    *,
    columns: dict[Column, str] | None = None,
) -> Sheet:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_rows(path, TASKS["pseudocode"], columns or {})


def codes(sheet: Sheet) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.code) for problem in sheet.problems]


def test_good_rows_come_with_their_lines_answers_and_notes(tmp_path: Path) -> None:
    sheet = read(
        tmp_path, 'prompt,output,answer,language\na,"x = 1\nreturn x",1,en\nb,return 2,2,zh\n'
    )
    assert sheet.problems == []
    assert [(row.line, row.output, row.answer) for row in sheet.rows] == [
        (2, "x = 1\nreturn x", "1"),
        (4, "return 2", "2"),
    ]
    assert sheet.rows[1].notes == {"language": "zh"}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_not_part_of_the_first_column(tmp_path: Path, mark: bytes) -> None:
    sheet = read(tmp_path, mark + "prompt,output\n小明?,return 1\n".encode())
    assert [row.prompt for row in sheet.rows] == ["小明?"]
    json_rows = read(tmp_path, mark + GOOD.encode(), "rows.jsonl")
    assert len(json_rows.rows) == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("prompt,output\na,\n", [(2, "empty_output")]),
        ("prompt,output\n,return 1\n", [(2, "empty_prompt")]),
        ('prompt,output\n"  ",return 1\nb,return 2\n', [(2, "empty_prompt")]),
        ("prompt,output\na,return 1,\n", [(2, "cell_count")]),
        ("prompt,output\na\n", [(2, "cell_count")]),
        ('prompt,output\na,"return 1\nb,return 2\n', [(2, "unclosed_quote")]),
        ("prompt,output\na,return\n", [(2, "program_fails")]),
        ("prompt,output,answer\na,return 1,2\n", [(2, "program_wrong")]),
        ("prompt,output\na,return 1\nb,return 2\na,return 1\n", [(4, "duplicate")]),
        ("prompt,output\na,return 1\na,return 2\n", [(3, "prompt_conflict")]),
        ("prompt,output\na\x07,return 1\n", [(2, "control_character")]),
        ("prompt,output\n", [(1, "no_rows")]),
        ("", [(1, "no_rows")]),
        ("prompt,solution\na,return 1\n", [(1, "missing_column")]),
        ("question,solution\na,return 1\n", [(1, "missing_column"), (1, "missing_column")]),
        (
            'prompt,output\n"two\nlines",\nb,return 1\nc,\n',
            [(2, "empty_output"), (5, "empty_output")],
        ),
    ],
)
def test_each_problem_of_a_csv_is_found_at_its_line(
    tmp_path: Path, content: str, expected: list[tuple[int | None, str]]
) -> None:
    assert codes(read(tmp_path, content)) == expected


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"prompt": "a", "output": ', "malformed_json"),
        ("[1, 2]", "not_an_object"),
        ('{"prompt": "a"}', "missing_field"),
        ('{"prompt": "a", "output": 3}', "not_text"),
        ('{"prompt": null, "output": "return 1"}', "null_value"),
        ('{"prompt": "", "output": "return 1"}', "empty_prompt"),
        ('{"prompt": "\\ud800", "output": "return 1"}', "broken_encoding"),
        ("[" * 100_000, "malformed_json"),
        ("NaN", "not_an_object"),
    ],
)
def test_each_problem_of_json_lines_is_found_and_the_rest_kept(
    tmp_path: Path, line: str, code: str
) -> None:
    other = GOOD.replace("1 and 2", "2 and 2")
    sheet = read(tmp_path, f"{GOOD}\n{line}\n{other}", "rows.jsonl")
    assert codes(sheet) == [(3, code)]
    assert [row.line for row in sheet.rows] == [1, 4]
    assert sheet.count == 3


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "utf-16", "utf-16-be", "utf-32"])
def test_another_encoding_is_read_and_said(tmp_path: Path, encoding: str) -> None:
    text = "prompt,output\n小明有几个苹果?,return 1\n"
    sheet = read(tmp_path, text.encode(encoding))
    assert [row.prompt for row in sheet.rows] == ["小明有几个苹果?"]
    assert codes(sheet) == [(1, "not_utf8")]
    assert sheet.mistakes == []
    assert "-t UTF-8` converts it" in sheet.problems[0].message


def test_latin_1_is_named_at_each_line_rather_than_guessed(tmp_path: Path) -> None:
    text = "prompt,output\ncaf\xe9 \xff?,return 1\nb,return 2\n"
    sheet = read(tmp_path, text.encode("latin-1"))
    assert codes(sheet) == [(2, "broken_encoding")]
    assert "byte 0xe9 at character 4" in sheet.problems[0].message


def test_a_missing_column_suggests_the_nearest_and_the_flag(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, "prompt,outputs\na,return 1\n").problems
    assert "Did you mean 'outputs'?" in problem.message
    assert "--columns output=outputs" in problem.message


def test_columns_can_have_other_names(tmp_path: Path) -> None:
    columns: dict[Column, str] = {"prompt": "question", "output": "solution"}
    sheet = read(tmp_path, "question,solution\na,return 1\n", columns=columns)
    assert [(row.prompt, row.output) for row in sheet.rows] == [("a", "return 1")]


def test_a_cell_beyond_the_limit_is_reported_rather_than_raised(tmp_path: Path) -> None:
    sheet = read(tmp_path, f"prompt,output\n{'x' * (1 << 21)},return 1\n")
    assert codes(sheet) == [(2, "too_long")]


@pytest.mark.parametrize("name", ["rows.xlsx", "rows"])
def test_another_kind_of_file_is_refused_with_what_is_expected(tmp_path: Path, name: str) -> None:
    with pytest.raises(RowsRefused, match=r"expected \.csv.* or \.parquet"):
        read(tmp_path, "x", name)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RowsRefused, match=r"No such file.*Check the path"):
        read_rows(tmp_path / "rows.csv", TASKS["instruct"], {})


def test_the_digest_is_over_the_content_and_not_the_file(tmp_path: Path) -> None:
    as_csv = read(tmp_path, "prompt,output\n1 and 2?,return 1 + 2\n")
    as_json = read(tmp_path, GOOD, "rows.jsonl")
    other = read(tmp_path, GOOD.replace("1 and", "3 and"), "rows.jsonl")
    assert as_csv.content_sha256() == as_json.content_sha256() != other.content_sha256()


def test_a_gold_answer_that_stands_for_nothing_is_none(tmp_path: Path) -> None:
    sheet = read(tmp_path, "prompt,output,answer\na,return 1,nan\nb,return 2,\nc,return 3,3.0\n")
    assert [row.answer for row in sheet.rows] == [None, None, "3.0"]
    rows = '{"prompt": "a", "output": "return 1", "answer": NaN}\n'
    assert read(tmp_path, rows, "rows.jsonl").rows[0].answer is None


@pytest.mark.parametrize("gold", ["1234", "1,234", "$1,234.00", "1234 apples", "2468/2"])
def test_a_gold_answer_may_be_written_for_people(tmp_path: Path, gold: str) -> None:
    sheet = read(tmp_path, f'prompt,output,answer\na,return 1234,"{gold}"\n')
    assert sheet.problems == []


def test_a_right_answer_may_stand_against_several_wrong_ones(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("prompt,chosen,rejected\nq,a,b\nq,a,c\nq,a,b\nq,d,b\n")
    sheet = read_rows(path, TASKS["instruct"], {"output": "chosen"})
    assert [row.notes["rejected"] for row in sheet.rows] == ["b", "c"]
    assert [problem.code for problem in sheet.problems] == ["duplicate", "prompt_conflict"]
