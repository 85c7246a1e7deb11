"""From a recipe to a job: everything that can be checked without weights, cheapest first."""

import datetime
import os
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from adapters import gate
from adapters.errors import AdapterRefused
from adapters.layout import default_root
from adapters.manifest import LoraFacts, PromptForm
from adapters.store import Store, Version
from basemodels import resolve
from basemodels.modules import linear_shapes
from training import documents, metrics, preferences, processes, requirements
from training.errors import RowsRefused, RunRefused
from training.job import HeldOut, Job, Optimisation, Questions, plan_steps
from training.preparing import Prepared, leaks, listed, load_tokenizer, prepare, refuse
from training.prompts import Tokenizer, Wording
from training.publish import choose_probes
from training.recipe import DpoRecipe, PretrainRecipe, Recipe, RunRecipe
from training.rows import Column, Problem, read_rows
from training.tasks import TASKS

# Prompts among which those are looked for whose answers the adapter changes.
PROBE_CANDIDATES = 12


class Plan(NamedTuple):
    """A run that has passed every check that needs no weights."""

    recipe: RunRecipe
    base_dir: Path
    store: Store
    parent: Version | None
    trained: Prepared
    job: Job


def make_plan(recipe: RunRecipe) -> Plan:
    """Check everything that can be checked without weights, and lay down the run.

    Raises:
        TrainingError: Something speaks against the run.
        BaseModelError: The base model cannot be used.
        AdapterError: The store or its gate speaks against it.
    """
    base_dir = resolve(recipe.base)
    # From here on everything is local, whatever libraries would like to look up.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    store = Store(recipe.store or default_root())
    store.home(recipe.adapter)
    parent = store.resolve(recipe.continue_from) if recipe.continue_from else None
    if isinstance(recipe, DpoRecipe) and recipe.rejected_from not in (None, "base"):
        store.resolve(str(recipe.rejected_from))
    lora = lora_of(recipe, base_dir, parent)
    _require_writable(store.root)
    trained = prepare_stage(recipe, recipe.rows, base_dir)
    held_out = (
        prepare_stage(recipe, recipe.eval_rows, base_dir, trained.wording)
        if recipe.eval_rows
        else None
    )
    leaked = leaks(trained, held_out.sheet) if held_out else []
    if leaked:
        raise RowsRefused(
            f"{recipe.eval_rows} is not held out: {len(leaked)} prompt(s) are trained on, expected "
            f"none:\n{listed(leaked)}\nTake them out of one of the two files."
        )
    job = _job(recipe, base_dir, parent, lora, trained, held_out)
    requirements.require_all(job)
    return Plan(recipe, base_dir, store, parent, trained, job)


def lora_of(recipe: RunRecipe, base_dir: Path, parent: Version | None) -> LoraFacts:
    """The shape of the adapter: new, or that of the version it continues.

    Raises:
        AdapterRefused: The gate speaks against it.
    """
    if parent is None:
        targets = sorted({module.rsplit(".", 1)[-1] for module in linear_shapes(base_dir)})
        lora = LoraFacts(
            rank=recipe.rank, alpha=recipe.alpha, targets=targets, rslora=recipe.rslora
        )
        findings = gate.check_lora(lora, base_dir)
    else:
        lora = parent.manifest.lora
        findings = gate.check(parent.path, base_dir)
    if findings:
        raise AdapterRefused(str(parent) if parent else "The LoRA of this recipe", findings)
    return lora


def _require_writable(root: Path) -> None:
    there = next(path for path in (root, *root.parents) if path.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise RunRefused(
            f"The store {root} cannot be written: {there} is not a directory of yours. Expected "
            "one, so that the result can be published. Choose another with --store, or ask its owner."
        )


def prepare_stage(
    recipe: RunRecipe, path: Path, base_dir: Path, wording: Wording | None = None
) -> Prepared:
    """Read what a stage trains on, and turn it into examples or pairs.

    Args:
        recipe: The settings.
        path: The rows.
        base_dir: The base model.
        wording: That of the rows that are trained on; not given for these themselves.

    Raises:
        RowsRefused: It cannot be trained on.
        TrainingError: The tokenizer cannot be used.
    """
    if isinstance(recipe, Recipe):
        prepared = prepare(
            read_rows(path, TASKS[recipe.task], columns_of(recipe)),
            recipe.task,
            base_dir=base_dir,
            max_length_tokens=recipe.max_length_tokens,
            bad_rows=recipe.bad_rows,
            wording=wording or recipe.examples,
        )
        return _as_pairs(recipe, prepared) if isinstance(recipe, DpoRecipe) else prepared
    sheet = read_rows(path, TASKS["raw"], {})
    refuse(sheet, recipe.bad_rows)
    tokenizer = load_tokenizer(base_dir)
    examples = documents.encode_documents(sheet, tokenizer, recipe.max_length_tokens)
    return Prepared(sheet, examples, Wording(PromptForm(), str), tokenizer)


def columns_of(recipe: Recipe) -> dict[Column, str]:
    """Names of the columns that a stage reads, where they are not the usual ones."""
    chosen: dict[Column, str] = {"output": "chosen"} if _has_rejected(recipe) else {}
    return chosen | recipe.columns


def _has_rejected(recipe: RunRecipe) -> bool:
    return isinstance(recipe, DpoRecipe) and recipe.rejected_from is None


def _as_pairs(recipe: DpoRecipe, prepared: Prepared) -> Prepared:
    if _has_rejected(recipe):
        preferences.check(prepared.sheet)
        refuse(prepared.sheet, recipe.bad_rows)
    pairs = preferences.pairs(prepared.sheet.rows, prepared.tokenizer, prepared.wording)
    limit = recipe.max_tokens_per_batch
    too_long = {
        pair.line: Problem(
            pair.line,
            "too_long",
            f"both answers together have {size} tokens, "
            f"expected at most {limit} (max_tokens_per_batch)",
        )
        for pair in pairs
        if (size := len(pair.input_ids)) > limit
    }
    prepared.sheet.drop(too_long)
    refuse(prepared.sheet, recipe.bad_rows)
    return prepared._replace(examples=[pair for pair in pairs if pair.line not in too_long])


def probe_candidates(recipe: RunRecipe, trained: Prepared) -> list[str]:
    """Prompts that stand for what is trained, as the model sees them."""
    if isinstance(recipe, PretrainRecipe):
        prompts = [row.output[:200] for row in trained.sheet.rows]
    else:
        prompts = [trained.wording.render(row.prompt) for row in trained.sheet.rows]
    return choose_probes(prompts, PROBE_CANDIDATES)


def _job(
    recipe: RunRecipe,
    base_dir: Path,
    parent: Version | None,
    lora: LoraFacts,
    trained: Prepared,
    held_out: Prepared | None,
) -> Job:
    # Torch takes a second that wrong rows need not wait for.
    from training.hardware import choose_compute, usable_cores  # noqa: PLC0415

    processes.connect()
    threads = recipe.threads or max(1, usable_cores() // processes.count())
    return Job(
        base_dir=base_dir,
        parent_dir=parent.path if parent else None,
        lora=lora,
        dropout=recipe.dropout,
        examples=trained.examples,
        steps=steps_of(recipe, len(trained.examples)),
        held_out=_held_out(recipe, held_out) if held_out else None,
        probes=_token_ids(trained.tokenizer, probe_candidates(recipe, trained)),
        max_tokens=recipe.max_tokens_per_batch,
        quantise=recipe.quantise,
        gradient_checkpointing=recipe.gradient_checkpointing,
        beta=recipe.beta if isinstance(recipe, DpoRecipe) else None,
        optimisation=_optimisation(recipe),
        compute=processes.agree(choose_compute(recipe.dtype, threads, recipe.device)),
        threads=threads,
        seed=recipe.seed,
        run_dir=recipe.run_dir or processes.agree(_new_run_dir(recipe.adapter)),
        checkpoint_every_steps=recipe.checkpoint_every_steps,
        resume=recipe.resume,
        report_to=recipe.report_to,
    )


def steps_of(recipe: RunRecipe, count: int) -> list[list[int]]:
    """Lay down the steps of a run over so many examples."""
    return plan_steps(
        count,
        batch_rows=recipe.batch_rows,
        epochs=recipe.epochs,
        max_steps=recipe.max_steps,
        seed=recipe.seed,
    )


def _optimisation(recipe: RunRecipe) -> Optimisation:
    return Optimisation(
        learning_rate=recipe.learning_rate,
        schedule=recipe.schedule,
        warmup_fraction=recipe.warmup_fraction,
        weight_decay=recipe.weight_decay,
        max_gradient_norm=recipe.max_gradient_norm,
        optimizer=recipe.optimizer,
    )


def _held_out(recipe: RunRecipe, held_out: Prepared) -> HeldOut:
    return HeldOut(
        examples=held_out.examples,
        questions=_questions(recipe, held_out),
        every_steps=recipe.eval_every_steps,
        patience=recipe.early_stopping,
    )


def _questions(recipe: RunRecipe, held_out: Prepared) -> Questions | None:
    """Questions to answer, for stages whose rows have answers that can be scored."""
    if not isinstance(recipe, Recipe) or isinstance(recipe, DpoRecipe) or not recipe.eval_answers:
        return None
    rows = held_out.sheet.rows[: recipe.eval_answers]
    name = TASKS[recipe.task].metrics[0]
    metric = metrics.find(name)

    def score(answers: Sequence[str]) -> float:
        return fmean(metrics.score({name: metric}, answers, rows)[name])

    prompts = [held_out.wording.render(row.prompt) for row in rows]
    return Questions(
        prompts=_token_ids(held_out.tokenizer, prompts),
        score=score,
        metric=name,
        max_answer_tokens=TASKS[recipe.task].max_answer_tokens,
        stop=TASKS[recipe.task].stop,
    )


def _token_ids(tokenizer: Tokenizer, prompts: Sequence[str]) -> list[list[int]]:
    return tokenizer(list(prompts), add_special_tokens=False)["input_ids"] if prompts else []


def _new_run_dir(adapter: str) -> Path:
    return Path("runs") / f"{adapter}-{datetime.datetime.now():%Y%m%d-%H%M%S}"  # noqa: DTZ005 - a folder's name
