"""A published version beside its base in this process, and promotion by what was measured."""

from pathlib import Path

import pytest

from adapters.cli import main as adapters
from adapters.store import Store
from tests.training.tiny_base import write_recipe, write_sums
from training import evaluate, sft

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore:MatMul8bitLt. inputs will be cast"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    """A store with a version trained on a base in 4 bit."""
    folder = tmp_path_factory.mktemp("measured")
    recipe = write_recipe(folder, tiny_base, write_sums(folder / "rows.csv"))
    write_sums(folder / "held.csv", start=7)
    assert sft.main(["--recipe", str(recipe), "--quantise", "4bit"]) == 0
    return folder


def test_adapter_and_base_are_measured_side_by_side_and_recorded(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    store = ["--store", str(folder / "store")]
    arguments = ["--model", "sums@1", "--rows", str(folder / "held.csv"), "--limit-rows", "4"]
    assert evaluate.main([*arguments, *store, "--max-tokens", "20"]) == 0
    out = capsys.readouterr().out
    assert "sums@1 and its base, 95 % intervals" in out
    assert "expected " in out
    assert "on the quantised one it was trained on" in out
    (recorded,) = Store(folder / "store").evaluations("sums", 1)
    adapter, base = recorded.results["adapter"], recorded.results["base"]
    assert isinstance(adapter, dict)
    assert isinstance(base, dict)
    assert set(adapter) == {"right", "executed", "exact", "loss"}
    loss, base_loss = adapter["loss"], base["loss"]
    assert isinstance(loss, dict)
    assert isinstance(base_loss, dict)
    assert loss["mean"] < base_loss["mean"]  # type: ignore[operator]  # numbers
    assert isinstance(recorded.results["loss_on_quantised_base"], float)


def test_a_version_is_promoted_only_if_it_was_measured_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    promote = ["promote", "sums@1", "--store", str(folder / "store"), "--require"]
    Store(folder / "store").record_evaluation("sums", 1, {"metrics": {"right": 0.75}})
    assert adapters([*promote, "rouge>=0.5"]) == 2
    assert "rouge was never measured on it" in capsys.readouterr().err
    assert adapters([*promote, "right>=0.8"]) == 2
    assert "right is 0.75, expected >= 0.8" in capsys.readouterr().err
    assert adapters([*promote, "right"]) == 2
    assert "Cannot read the requirement" in capsys.readouterr().err
    assert Store(folder / "store").aliases("sums") == {}
    assert adapters([*promote, "right>=0.7", "--require", "metrics.right<=0.75"]) == 0
    assert Store(folder / "store").aliases("sums") == {"stable": 1}
