"""Raw text: documents are cut into windows, every token is trained once, none sees a neighbour."""

from pathlib import Path

import pytest

from adapters.store import Store
from tests.training.tiny_base import write_recipe
from training.documents import encode_documents
from training.encode import IGNORED
from training.errors import RowsRefused
from training.preparing import load_tokenizer
from training.pretrain import main
from training.prompts import Tokenizer
from training.rows import read_rows
from training.tasks import TASKS

EOS = 256


@pytest.fixture(scope="module")
def tokenizer(tiny_base: Path) -> Tokenizer:
    return load_tokenizer(tiny_base)


def write_texts(folder: Path) -> Path:
    texts = folder / "texts"
    (texts / "deep").mkdir(parents=True)
    (texts / "a.txt").write_text("the cat sat on the mat. " * 8, encoding="utf-8")
    (texts / "deep" / "b.md").write_text("小明有三个苹果。", encoding="utf-8")
    (texts / "notes.pdf").write_bytes(b"%PDF")
    return texts


def test_documents_are_found_below_a_directory_in_the_order_of_their_names(tmp_path: Path) -> None:
    sheet = read_rows(write_texts(tmp_path), TASKS["raw"], {})
    assert [Path(row.notes["file"]).name for row in sheet.rows] == ["a.txt", "b.md"]
    assert sheet.problems == []


def test_every_token_of_a_document_is_predicted_once(tmp_path: Path, tokenizer: Tokenizer) -> None:
    path = tmp_path / "a.txt"
    path.write_text("abcdefghijklmnopqrstuvwxyz", encoding="utf-8")
    (whole,) = tokenizer(["abcdefghijklmnopqrstuvwxyz"], add_special_tokens=True)["input_ids"]
    for length in (2, 5, 9, 27, 100):
        examples = encode_documents(read_rows(path, TASKS["raw"], {}), tokenizer, length)
        predicted = [label for example in examples for label in example.labels[1:]]
        assert predicted == [*whole[1:], EOS]
        assert all(len(example.input_ids) <= length for example in examples)
        assert not any(label == IGNORED for example in examples for label in example.labels)


def test_what_is_no_text_is_named_and_another_encoding_is_read(tmp_path: Path) -> None:
    texts = write_texts(tmp_path)
    (texts / "c.txt").write_bytes("中文".encode("gb18030"))
    (texts / "d.txt").write_text(" \n")
    (texts / "e.txt").write_text((texts / "a.txt").read_text())
    sheet = read_rows(texts, TASKS["raw"], {})
    assert [problem.code for problem in sheet.losses] == ["empty_output", "duplicate"]
    assert "d.txt: the output is empty" in str(sheet.problems)
    assert "c.txt: the file is GB18030" in str(sheet.problems)
    assert "中文" in [row.output for row in sheet.rows]
    with pytest.raises(RowsRefused, match="nowhere: No such file or directory"):
        read_rows(tmp_path / "nowhere", TASKS["raw"], {})


@pytest.mark.training
def test_raw_text_and_then_rows_train_one_adapter(
    recipe_file: Path, tmp_path: Path, tiny_base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from training import sft

    texts = write_texts(tmp_path)
    folder = tmp_path / "raw"
    folder.mkdir()
    recipe = write_recipe(folder, tiny_base, texts, task=None)
    store = ["--store", str(tmp_path / "store")]
    arguments = ["--recipe", str(recipe), *store, "--max-length-tokens", "64", "--epochs", "6"]
    assert main([*arguments, "--dry-run"]) == 0
    assert "Dry run" in capsys.readouterr().out
    assert main(arguments) == 0
    first = Store(tmp_path / "store").resolve("sums@1")
    assert first.manifest.parent is None
    assert first.manifest.data is not None
    assert first.manifest.data.rows == 2
    assert main([*arguments, "--resume"]) == 0
    assert sft.main(["--recipe", str(recipe_file), *store, "--continue-from", "sums@2"]) == 0
    assert Store(tmp_path / "store").resolve("sums@3").manifest.parent == "sums@2"
