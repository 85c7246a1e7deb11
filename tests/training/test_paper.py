"""What a run takes, on paper: from `config.json` alone, and on a device that is not here."""

from dataclasses import replace
from pathlib import Path

import pytest

from basemodels.modules import read_config
from basemodels.sizes import Sizes, sizes_of
from basemodels.training_memory import Setup, memory_parts
from tests.training.page_tables import recipes_table
from tests.training.seed_configs import SEEDS, write_config
from tests.training.shipped import COMMANDS, RECIPES, ROOT, read, stage_of, write_fitting_rows
from tests.training.tiny_base import write_sums
from training import memory
from training.memory import Machine, needed_bytes, remedies
from training.sft import main


@pytest.mark.parametrize("base", SEEDS)
def test_the_weights_of_a_base_are_counted_from_its_configuration(
    tmp_path: Path, base: str
) -> None:
    sizes = sizes_of(read_config(write_config(tmp_path, base)))
    assert sizes.parameters == pytest.approx(SEEDS[base][1], rel=0.02)


def test_every_seed_base_has_a_recipe() -> None:
    assert {read(path).base for path in RECIPES} == set(SEEDS)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_fits_a_4090_by_the_configuration_of_its_base_alone(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = write_config(tmp_path, read(path).base)
    rows = write_fitting_rows(path, tmp_path)
    arguments = ["--recipe", str(path), "--rows", str(rows), "--base", str(base)]
    store = ["--store", str(tmp_path / "store")]
    before = sorted(tmp_path.rglob("*"))
    assert COMMANDS[stage_of(path)]([*arguments, *store, "--dry-run", "--device", "4090"]) == 0
    out = capsys.readouterr().out
    assert "weights by config.json" in out
    assert "of 25.77 GB free memory (runtime" in out
    assert sorted(tmp_path.rglob("*")) == before


def test_the_table_of_the_documentation_is_what_the_recipes_come_to() -> None:
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    assert recipes_table() in page, "run tests/training/page_tables.py"


SETUP = Setup(
    rank=16, dtype="bfloat16", quantise=None, optimizer="adamw", gradient_checkpointing=False,
    tokens_at_once=4096, longest_tokens=512,
)  # fmt: skip


def llama(tmp_path: Path) -> Sizes:
    return sizes_of(read_config(write_config(tmp_path, "meta-llama/Meta-Llama-3-8B")))


def test_four_bit_weights_take_what_the_arithmetic_of_qlora_says(tmp_path: Path) -> None:
    sizes = llama(tmp_path)
    parts = memory_parts(sizes, replace(SETUP, quantise="4bit"), 0)
    # 6.98 billion weights at 4.127 bits, embedding and head at 16.
    assert parts["base"] == pytest.approx(3.6e9 + 2.1e9, rel=0.02)
    assert parts["adapter and optimizer"] == pytest.approx(41.9e6 * 16, rel=0.01)


def test_three_changes_that_would_fit_are_named_in_order_of_their_cost(tmp_path: Path) -> None:
    sizes, setup = llama(tmp_path), replace(SETUP, tokens_at_once=1300)
    machine = memory.ON_PAPER["4090"]
    assert needed_bytes(sizes, setup, machine) > machine.memory_bytes
    lines = remedies(sizes, setup, machine)
    assert [line.split(" (")[0] for line in lines] == [
        "--max-tokens-per-batch 512",
        "--gradient-checkpointing",
        "--quantise 8bit",
    ]


def test_where_one_change_is_not_enough_several_are_named(tmp_path: Path) -> None:
    sizes = llama(tmp_path)
    lines = remedies(sizes, SETUP, Machine("cuda", 8 << 30, 1e14, 0, 0.5))
    assert all("--quantise 4bit" in line for line in lines)
    assert len(lines) >= 1
    assert remedies(sizes, SETUP, Machine("cuda", 1 << 30, 1e14, 0, 0.5)) == []


def test_a_run_that_does_not_fit_is_refused_with_what_would(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = write_config(tmp_path, "bigcode/starcoder")
    rows = write_sums(tmp_path / "rows.csv")
    arguments = ["--base", str(base), "--rows", str(rows), "--adapter", "a", "--dry-run"]
    assert main([*arguments, "--device", "4090", "--store", str(tmp_path / "store")]) == 2
    message = capsys.readouterr().err
    assert "does not fit a 4090" in message
    assert "1. --quantise 8bit" in message
