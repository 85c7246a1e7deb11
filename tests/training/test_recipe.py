"""Recipes are checked where they are declared, and those that we ship are good."""

from pathlib import Path

import pytest
import yaml

from configuration import ConfigurationError, load
from tests.training import shipped
from tests.training.shipped import RECIPES, ROOT
from training.recipe import REFUSED, DpoRecipe, PretrainRecipe, Recipe, RunRecipe

NEEDED = ["--base", "b", "--rows", "r.csv", "--adapter", "a"]


def read(*argv: str) -> Recipe:
    return load(Recipe, argv, prog="python -m training.sft", file_flag="--recipe", refused=REFUSED)


def test_there_are_recipes() -> None:
    assert len(RECIPES) >= 1


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_shipped_recipe_loads_and_starts_with_its_command(path: Path) -> None:
    recipe = shipped.read(path)
    task = recipe.task if isinstance(recipe, Recipe) else "raw"
    assert task in path.stem
    text = path.read_text(encoding="utf-8")
    assert f"--recipe {path.relative_to(ROOT)}" in text
    assert set(yaml.safe_load(text)) <= set(type(recipe).model_fields)


def test_every_setting_has_a_description() -> None:
    assert not [name for name, field in Recipe.model_fields.items() if not field.description]


def test_a_misspelt_key_and_flag_suggest_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("learning_rat: 1\n")
    with pytest.raises(ConfigurationError) as caught:
        read("--recipe", str(path), *NEEDED, "--epoch", "3")
    assert "unknown key 'learning_rat'. Did you mean learning_rate?" in str(caught.value)
    assert "Did you mean --epochs?" in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--learning-rate", "0"], "learning_rate"),
        (["--learning-rate", "nan"], "learning_rate"),
        (["--rank", "257"], "rank"),
        (["--dropout", "1"], "dropout"),
        (["--resume"], "resume needs run_dir"),
        (["--resume", "--run-dir", "r", "--dry-run"], "exclude each other"),
        (["--max-length-tokens", "4096"], "max_tokens_per_batch=2048"),
        (["--task", "poetry"], "task"),
        (["--columns", "promt=question"], "columns"),
        (["--device", "4090"], "device=4090 is on paper only"),
        (
            ["--early-stopping", "2", "--eval-rows", "e.csv"],
            "early_stopping needs eval_every_steps",
        ),
        (["--eval-every-steps", "5"], "need eval_rows"),
        (["--quantise", "2bit"], "quantise"),
    ],
)
def test_a_value_out_of_bounds_is_named(arguments: list[str], expected: str) -> None:
    with pytest.raises(ConfigurationError, match=expected):
        read(*NEEDED, *arguments)


@pytest.mark.parametrize(
    "columns", ["prompt=question, output=solution", "{prompt: question, output: solution}"]
)
def test_columns_are_read_in_both_notations(columns: str) -> None:
    assert read(*NEEDED, "--columns", columns).columns == {
        "prompt": "question",
        "output": "solution",
    }


@pytest.mark.parametrize(
    "name", ["use_dora", "dora", "modules_to_save", "init_lora_weights", "bias"]
)
def test_what_no_engine_serves_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(f"{name}: true\n")
    for arguments in (["--recipe", str(path)], ["--" + name.replace("_", "-"), "1"]):
        with pytest.raises(ConfigurationError, match="vLLM, which is to serve the adapter"):
            read(*NEEDED, *arguments)


def test_every_stage_shares_the_settings_of_a_run() -> None:
    shared = set(RunRecipe.model_fields)
    for stage in (Recipe, PretrainRecipe, DpoRecipe):
        assert shared < set(stage.model_fields) or stage is PretrainRecipe
    assert set(DpoRecipe.model_fields) - set(Recipe.model_fields) == {"beta", "rejected_from"}
