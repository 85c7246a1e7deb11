"""From a book to a report on two stages, by the commands that a person gives."""

import json
import shutil
from pathlib import Path

import pytest

from tests.training.tiny_base import write_recipe
from training import data, pretrain, sft
from training.novels.cli import main

pytestmark = pytest.mark.training

STORY = "“Who goes there?” asked guard {}. Nobody answered him at all. The rain fell on wall {}. "


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    """A book as data, and a store with an adapter in two stages."""
    folder = tmp_path_factory.mktemp("novel")
    told = [STORY.format(number, number + 300) for number in range(72)]
    chapters = [f"Chapter {at + 1}\n\n{''.join(told[at::12])}" for at in range(12)]
    (folder / "book.txt").write_text("\n\n".join(chapters), encoding="utf-8")
    lengths = ["--opening-chars", "80", "--continuation-chars", "90", "--held-out", "0.2"]
    out = folder / "novel"
    assert data.main(["novel", str(folder / "book.txt"), "--out", str(out), *lengths]) == 0
    style = write_recipe(folder, tiny_base, out / "raw", task=None)
    # This base guesses worse than all tokens alike; longer runs would be stopped for that.
    shortly = ["--epochs", "1", "--batch-rows", "16"]
    assert pretrain.main(["--recipe", str(style), "--max-length-tokens", "128", *shortly]) == 0
    form = write_recipe(folder, tiny_base, out / "rows.csv", task="continuation")
    run = ["--continue-from", "sums@1", "--run-dir", str(folder / "second")]
    assert sft.main(["--recipe", str(form), *run, *shortly]) == 0
    return folder


def test_two_stages_are_measured_against_their_base(
    folder: Path, tiny_base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, page = folder / "report.json", folder / "page.html"
    arguments = [
        *("--base", str(tiny_base), "--adapter", "sums@1", "--adapter", "sums@2"),
        *("--rows", str(folder / "novel" / "held-out.csv"), "--store", str(folder / "store")),
        *("--train-text", str(folder / "novel" / "raw"), "--limit", "6", "--samples", "2"),
        *("--max-tokens", "40", "--sampling", "0.8/0.95", "0/1"),
        *("--out", str(out), "--samples-page", str(page)),
    ]
    assert main(["evaluate", *arguments]) == 0
    shown = capsys.readouterr().out
    assert "sums@2 saves" in shown
    report = json.loads(out.read_text())
    found = report["bits"]["en"]
    names = [str(tiny_base), "sums@1", "sums@2"]
    assert list(found["models"]) == names
    assert found["rows"] == 6
    assert found["models"]["sums@2"]["value"] < found["models"][str(tiny_base)]["value"]
    assert [(each["of"], each["against"]) for each in found["differences"]] == [
        ("sums@1", names[0]),
        ("sums@2", names[0]),
        ("sums@2", "sums@1"),
    ]
    assert list(report["textures"]) == ["the book", *names]
    # Every chapter of this book says nearly the same.
    assert report["textures"]["the book"]["shared_characters"] > 40
    assert set(report["samplings"]) == {"0.8/0.95", "0/1"}
    assert report["nearest"] in report["samplings"]
    assert page.read_text().count("<article>") == 2 * 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rows", "nowhere.csv"], "nowhere.csv"),
        (["--train-text", "nowhere"], "there is no nowhere; expected raw/"),
        (["--adapter", "sums@9"], "sums@9"),
        (["--base", "no-such-base"], "no-such-base"),
        (["--limit", "1"], "expected two or more"),
    ],
)
def test_what_cannot_be_measured_is_one_message(
    folder: Path,
    tiny_base: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    given = {
        "--base": str(tiny_base),
        "--rows": str(folder / "novel" / "held-out.csv"),
        "--store": str(folder / "store"),
    } | dict(zip(arguments[::2], arguments[1::2], strict=True))
    assert main(["evaluate", *(word for pair in given.items() for word in pair)]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_an_adapter_of_another_base_is_refused_before_anything_is_loaded(
    folder: Path, tiny_base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = shutil.copytree(tiny_base, tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"hidden_size": 32}))
    rows = ["--rows", str(folder / "novel" / "held-out.csv"), "--store", str(folder / "store")]
    assert main(["evaluate", "--base", str(other), "--adapter", "sums@2", *rows]) == 2
    assert f"sums@2 on {other}" in capsys.readouterr().err


def test_a_wrong_flag_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "--base", "b", "--rows", "r", "--sampling", "hot"])
    assert "'hot' is no TEMPERATURE/TOP_P" in capsys.readouterr().err
