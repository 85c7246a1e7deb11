"""The recipes that are shipped, each with the stage it is for and rows it could train on."""

import re
from pathlib import Path

from configuration import load
from training import dpo, pretrain, sft
from training.recipe import REFUSED, DpoRecipe, PretrainRecipe, Recipe, RunRecipe

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted((ROOT / "training" / "recipes").rglob("*.yaml"))
STAGES: dict[str, type[RunRecipe]] = {"sft": Recipe, "pretrain": PretrainRecipe, "dpo": DpoRecipe}
COMMANDS = {"sft": sft.main, "pretrain": pretrain.main, "dpo": dpo.main}
CHAIN = "Step 1: {0} + {0} = {1}.\nAnswer: {1}"


def stage_of(path: Path) -> str:
    """The command that a recipe's head names."""
    found = re.findall(r"^# python -m training\.(\w+) --recipe", path.read_text(), re.MULTILINE)
    assert len(found) == 1, path
    return str(found[0])


def read(path: Path) -> RunRecipe:
    stage = stage_of(path)
    return load(
        STAGES[stage],
        ["--recipe", str(path), "--rows", "r.csv"],
        prog=f"python -m training.{stage}",
        file_flag="--recipe",
        refused=REFUSED,
    )


def write_fitting_rows(path: Path, folder: Path) -> Path:
    """Write rows that a recipe's stage and task accept."""
    rows = folder / "rows.csv"
    stage, recipe = stage_of(path), read(path)
    numbers = range(2, 20)
    if stage == "pretrain":
        rows = folder / "rows.txt"
        lines = ["The door opened. Nobody came in."]
    elif stage == "dpo":
        lines = ["prompt,chosen,rejected"]
        lines += [
            f'{n} and {n}?,"{CHAIN.format(n, 2 * n)}","{CHAIN.format(n, n)}"' for n in numbers
        ]
    elif isinstance(recipe, Recipe) and recipe.task == "cot":
        lines = ["prompt,output", *(f'{n} and {n}?,"{CHAIN.format(n, 2 * n)}"' for n in numbers)]
    elif isinstance(recipe, Recipe) and recipe.task == "continuation":
        lines = ["prompt,output", *(f"Door {n} opened.,Nobody came in." for n in numbers)]
    else:
        lines = ["prompt,output"]
        lines += [f'{n} and {n}?,"t = {n} + {n}\nreturn t"' for n in numbers]
    rows.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return rows
