"""Rejected answers found rather than written: a model answers the rows, and its mistakes are kept.

They are written to `rejected.jsonl` in the run directory, so a resumed run uses the same ones.
"""

import json
from dataclasses import replace
from pathlib import Path

from peft import PeftModel
from rich.console import Console

from training import generating, metrics, preferences, processes
from training.errors import RowsRefused
from training.examining import cut
from training.loading import load_base
from training.planning import Plan, steps_of
from training.recipe import DpoRecipe
from training.tasks import TASKS

FILE = "rejected.jsonl"


def with_wrong_answers(plan: Plan, recipe: DpoRecipe, console: Console) -> Plan:
    """Let a version, or the base, answer the rows, and make pairs of those it gets wrong.

    Raises:
        RowsRefused: It answers every row rightly.
        AdapterError: There is no such version.
    """
    path = plan.job.run_dir / FILE
    rows = plan.trained.sheet.rows
    if not path.exists() and processes.is_writer():
        answers = _answers(plan, recipe)
        scores = map(metrics.find(TASKS[recipe.task].metrics[0]), answers, rows)
        wrong = {
            row.line: answer
            for row, answer, score in zip(rows, answers, scores, strict=True)
            if score < 1 and answer.strip("\n") != row.output
        }
        console.print(f"{recipe.rejected_from} gave {len(wrong)} wrong answers to {len(rows)} rows")
        _write(path, wrong)
    processes.wait()
    return _with_pairs(plan, recipe, _read(path))


def _answers(plan: Plan, recipe: DpoRecipe) -> list[str]:
    task = TASKS[recipe.task]
    wording, tokenizer = plan.trained.wording, plan.trained.tokenizer
    prompts = tokenizer(
        [wording.render(row.prompt) for row in plan.trained.sheet.rows], add_special_tokens=False
    )["input_ids"]
    found = generating.generate(
        _model(plan, recipe),
        prompts,
        max_tokens=min(task.max_answer_tokens, recipe.max_length_tokens),
        eos=tokenizer.eos_token_id or 0,
    )
    return [cut(tokenizer.decode(ids), task.stop) for ids in found]


def _model(plan: Plan, recipe: DpoRecipe) -> PeftModel:
    job = plan.job
    base = load_base(job.base_dir, job.compute.device, job.compute.dtype, job.quantise)
    if recipe.rejected_from == "base":
        return base
    version = plan.store.resolve(str(recipe.rejected_from))
    return PeftModel.from_pretrained(base, version.path)


def _with_pairs(plan: Plan, recipe: DpoRecipe, wrong: dict[int, str]) -> Plan:
    trained = plan.trained
    if not wrong:
        raise RowsRefused(
            f"{recipe.rejected_from} answers every row of {recipe.rows} rightly, so there is nothing "
            "to reject; expected some mistakes. Use harder rows, or another version."
        )
    preferences.with_rejected(trained.sheet, wrong)
    pairs = preferences.pairs(trained.sheet.rows, trained.tokenizer, trained.wording)
    job = replace(plan.job, examples=pairs, steps=steps_of(recipe, len(pairs)))
    return plan._replace(trained=trained._replace(examples=pairs), job=job)


def _write(path: Path, wrong: dict[int, str]) -> None:
    partial = path.with_suffix(".partial")
    lines = (json.dumps({"line": line, "rejected": text}) for line, text in wrong.items())
    partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    partial.rename(path)


def _read(path: Path) -> dict[int, str]:
    records = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {record["line"]: record["rejected"] for record in records}
