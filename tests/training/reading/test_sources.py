"""Parquet, Hub datasets and raw text give the same rows as CSV."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.errors import RowsRefused
from training.rows import read_rows
from training.tasks import TASKS

INSTRUCT, RAW = TASKS["instruct"], TASKS["raw"]


def write_parquet(path: Path, **columns: list[object]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet_rows_are_numbered(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", prompt=["a", "b", None], output=["c", "", "d"])
    sheet = read_rows(path, INSTRUCT, {})
    assert [(row.line, row.prompt) for row in sheet.rows] == [(1, "a")]
    assert [(problem.line, problem.code) for problem in sheet.problems] == [
        (2, "empty_output"),
        (3, "null_value"),
    ]


def test_parquet_that_lacks_a_column_or_holds_numbers_is_reported(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", prompt=["a"], answer=["b"])
    assert [problem.code for problem in read_rows(path, INSTRUCT, {}).problems] == [
        "missing_column"
    ]
    path = write_parquet(tmp_path / "b.parquet", prompt=["a"], output=[3])
    assert [problem.code for problem in read_rows(path, INSTRUCT, {}).problems] == ["not_text"]


def test_a_file_that_is_not_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(RowsRefused, match="Expected a Parquet file"):
        read_rows(path, INSTRUCT, {})


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of a machine that cannot reach the Hub; returns a dataset's folder in it."""
    import huggingface_hub.constants

    revision = "a" * 40
    home = tmp_path / "hub" / "datasets--acme--sums"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(revision)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)
    folder = home / "snapshots" / revision
    folder.mkdir(parents=True)
    return folder


def test_a_dataset_is_read_from_the_local_cache(hub: Path) -> None:
    (hub / "train.csv").write_text("prompt,output\na,b\n")
    (hub / "test.csv").write_text("prompt,output\nc,d\n")
    assert [row.prompt for row in read_rows(Path("acme/sums"), INSTRUCT, {}).rows] == ["a"]
    assert [row.prompt for row in read_rows(Path("acme/sums:test.csv"), INSTRUCT, {}).rows] == ["c"]


def test_the_shards_of_a_dataset_are_read_in_order(hub: Path) -> None:
    write_parquet(hub / "train-00001.parquet", prompt=["b"], output=["y"])
    write_parquet(hub / "train-00000.parquet", prompt=["a"], output=["x"])
    sheet = read_rows(Path("acme/sums"), INSTRUCT, {})
    assert [(row.line, row.prompt) for row in sheet.rows] == [(1, "a"), (2, "b")]


def test_a_dataset_of_several_files_asks_which(hub: Path) -> None:
    (hub / "one.csv").write_text("prompt,output\na,b\n")
    (hub / "two.csv").write_text("prompt,output\na,b\n")
    with pytest.raises(RowsRefused, match=r"one.csv, two.csv.*acme/sums:FILE"):
        read_rows(Path("acme/sums"), INSTRUCT, {})


def test_a_dataset_that_is_not_in_the_cache_is_said_to_be_out_of_reach(hub: Path) -> None:
    with pytest.raises(
        RowsRefused, match="not in the local cache, while the Hub cannot be reached"
    ):
        read_rows(Path("acme/other"), INSTRUCT, {})


def test_a_folder_of_text_is_read_as_documents(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("Second.\nTwo lines.\n")
    (tmp_path / "a.md").write_text("First.\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.txt").write_bytes("第三篇，讲的是小明。".encode("gbk"))
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "z.txt").write_text("")
    sheet = read_rows(tmp_path, RAW, {})
    assert [(row.line, row.output, row.notes["file"]) for row in sheet.rows] == [
        (1, "First.", "a.md"),
        (2, "Second.\nTwo lines.", "b.txt"),
        (4, "第三篇，讲的是小明。", "sub/c.txt"),
    ]
    assert [(problem.line, problem.code) for problem in sheet.problems] == [
        (4, "not_utf8"),
        (5, "empty_output"),
    ]


def test_a_table_of_text_needs_only_the_column_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "Once upon a time."}\n{"output": "x"}\n')
    sheet = read_rows(path, RAW, {})
    assert [row.output for row in sheet.rows] == ["Once upon a time."]
    assert [(problem.line, problem.code) for problem in sheet.problems] == [(2, "missing_field")]


def test_a_folder_without_text_and_text_without_a_task_for_it_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RowsRefused, match="There is no text in"):
        read_rows(tmp_path, RAW, {})
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(RowsRefused, match="needs --task raw"):
        read_rows(tmp_path / "a.txt", INSTRUCT, {})
    with pytest.raises(RowsRefused, match=r"ends in ''"):
        read_rows(tmp_path, INSTRUCT, {})


def test_an_object_that_holds_one_list_is_that_list(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text('{\n "version": 1,\n "data": [\n  {"prompt": "a", "output": "b"},\n  3\n ]\n}')
    sheet = read_rows(path, INSTRUCT, {})
    assert [row.line for row in sheet.rows] == [4]
    assert [(problem.line, problem.code) for problem in sheet.problems] == [(5, "not_an_object")]
