"""A run from its recipe to its version, step by step; the store is written last.

Order matters: what is cheap to check comes first.
"""

import datetime
import os
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue
from rich.console import Console

from adapters import bases, gate
from adapters.errors import AdapterRefused
from adapters.layout import default_root
from adapters.manifest import DataFacts, Draft, LoraFacts
from adapters.store import Store, Version
from basemodels import resolve
from basemodels.modules import linear_shapes
from training import publish
from training.errors import RowsRefused, RunRefused
from training.job import Job, Optimisation, Outcome, plan_steps
from training.preparing import Prepared, leaks, listed, prepare
from training.progress import Watch, duration
from training.recipe import Recipe
from training.resuming import open_run_dir
from training.stopping import StopRequest

# What a run does not depend on.
NOT_OF_THE_RUN = {
    "adapter", "checkpoint_every_steps", "data_licence", "dry_run", "resume", "run_dir", "store",
}  # fmt: skip


class Plan(NamedTuple):
    """A run that has passed every check that needs no weights."""

    recipe: Recipe
    base_dir: Path
    store: Store
    parent: Version | None
    trained: Prepared
    held_out: Prepared | None
    job: Job


def run(recipe: Recipe, console: Console, stop: StopRequest) -> Version | None:
    """Train an adapter and publish it.

    Args:
        recipe: The settings.
        console: Where people read along.
        stop: Set when somebody asks the run to stop.

    Returns:
        The new version; `None` after a dry run.

    Raises:
        TrainingError: Rows, recipe or machine do not allow the run, it diverged, or was stopped.
        BaseModelError: The base model cannot be used.
        AdapterError: The store or its gate refuses the result.
    """
    plan = make_plan(recipe)
    # Torch is needed from here on.
    from training import verdict  # noqa: PLC0415

    verdict.show(plan.job, plan.trained, console)
    if recipe.dry_run:
        console.print("Dry run: nothing was trained or written.")
        return None
    settings = run_settings(plan)
    open_run_dir(plan.job.run_dir, settings, resume=recipe.resume)
    outcome = _train(plan.job, console, stop)
    draft = _draft(plan, settings, outcome)
    publish.finish(outcome, recipe.adapter, draft)
    version = plan.store.publish(recipe.adapter, outcome.adapter_dir, draft, base_dir=plan.base_dir)
    _summarise(version, plan, outcome, console)
    return version


def make_plan(recipe: Recipe) -> Plan:
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
    lora = _lora(recipe, base_dir, parent)
    _require_writable(store.root)
    trained = _prepare(recipe, recipe.rows, base_dir)
    held_out = _prepare(recipe, recipe.eval_rows, base_dir) if recipe.eval_rows else None
    leaked = leaks(trained.sheet, held_out.sheet) if held_out else []
    if leaked:
        raise RowsRefused(
            f"{recipe.eval_rows} is not held out: {len(leaked)} prompt(s) are trained on, expected "
            f"none:\n{listed(leaked)}\nTake them out of one of the two files."
        )
    job = _job(recipe, base_dir, parent, lora, trained, held_out)
    return Plan(recipe, base_dir, store, parent, trained, held_out, job)


def _lora(recipe: Recipe, base_dir: Path, parent: Version | None) -> LoraFacts:
    """The shape of the adapter: new, or that of the version it continues."""
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


def _prepare(recipe: Recipe, path: Path, base_dir: Path) -> Prepared:
    return prepare(
        path,
        recipe.task,
        recipe.columns,
        base_dir=base_dir,
        max_length_tokens=recipe.max_length_tokens,
        bad_rows=recipe.bad_rows,
    )


def _job(
    recipe: Recipe,
    base_dir: Path,
    parent: Version | None,
    lora: LoraFacts,
    trained: Prepared,
    held_out: Prepared | None,
) -> Job:
    # Torch takes a second that wrong rows need not wait for.
    from training.hardware import choose_compute, usable_cores  # noqa: PLC0415

    threads = recipe.threads or usable_cores()
    return Job(
        base_dir=base_dir,
        parent_dir=parent.path if parent else None,
        lora=lora,
        dropout=recipe.dropout,
        examples=trained.examples,
        steps=plan_steps(
            len(trained.examples),
            batch_rows=recipe.batch_rows,
            epochs=recipe.epochs,
            max_steps=recipe.max_steps,
            seed=recipe.seed,
        ),
        held_out=held_out.examples if held_out else [],
        max_tokens=recipe.max_tokens_per_batch,
        optimisation=Optimisation(
            learning_rate=recipe.learning_rate,
            schedule=recipe.schedule,
            warmup_fraction=recipe.warmup_fraction,
            weight_decay=recipe.weight_decay,
            max_gradient_norm=recipe.max_gradient_norm,
        ),
        compute=choose_compute(recipe.dtype, threads),
        threads=threads,
        seed=recipe.seed,
        run_dir=recipe.run_dir or _new_run_dir(recipe.adapter),
        checkpoint_every_steps=recipe.checkpoint_every_steps,
        resume=recipe.resume,
    )


def _new_run_dir(adapter: str) -> Path:
    return Path("runs") / f"{adapter}-{datetime.datetime.now():%Y%m%d-%H%M%S}"  # noqa: DTZ005 - a folder's name


def run_settings(plan: Plan) -> dict[str, JsonValue]:
    """Everything that decides the result, with defaults and automatic choices filled in."""
    settings: dict[str, JsonValue] = plan.recipe.model_dump(mode="json", exclude=NOT_OF_THE_RUN)
    lora, job = plan.job.lora, plan.job
    return settings | {
        "dtype": job.compute.dtype,
        "threads": job.threads,
        "rank": lora.rank,
        "alpha": lora.alpha,
        "rslora": lora.rslora,
        "steps": len(job.steps),
        "rows_sha256": plan.trained.sheet.content_sha256(),
    }


def _train(job: Job, console: Console, stop: StopRequest) -> Outcome:
    # TRL takes several seconds; a dry run does without.
    from training.trainer import train  # noqa: PLC0415

    lengths = [len(example.input_ids) for example in job.examples]
    total = sum(lengths[i] for step in job.steps for i in step)
    watch = Watch(console, len(job.steps), total)
    with watch.showing():
        return train(job, watch, stop)


def _draft(plan: Plan, settings: dict[str, JsonValue], outcome: Outcome) -> Draft:
    from training.hardware import describe  # noqa: PLC0415 - torch, loaded by now

    recipe, sheet = plan.recipe, plan.trained.sheet
    results: dict[str, JsonValue] = {
        "final_loss": round(outcome.losses[-1], 4),
        "tokens_per_s": round(outcome.tokens / outcome.seconds, 1) if outcome.tokens else None,
        "peak_memory_bytes": outcome.peak_memory_bytes,
    }
    if outcome.held_out_loss is not None:
        results["held_out_loss"] = round(outcome.held_out_loss, 4)
    return Draft(
        base=bases.describe(recipe.base, plan.base_dir),
        lora=plan.job.lora,
        prompt=plan.trained.wording.form,
        probes=publish.choose_probes(
            [plan.trained.wording.render(row.prompt) for row in sheet.rows]
        ),
        training=settings | results,
        data=DataFacts(
            rows=len(sheet.rows),
            content_sha256=sheet.content_sha256(),
            licence=recipe.data_licence,
            sources=[sheet.path.name],
        ),
        run=publish.run_facts(
            seed=recipe.seed,
            seconds=outcome.seconds,
            hardware=describe(plan.job.compute.device),
        ),
        parent=str(plan.parent) if plan.parent else None,
    )


def _summarise(version: Version, plan: Plan, outcome: Outcome, console: Console) -> None:
    speed = f", {outcome.tokens / outcome.seconds:,.0f} tokens/s" if outcome.tokens else ""
    held_out = (
        f", held out {outcome.held_out_loss:.3f}" if outcome.held_out_loss is not None else ""
    )
    store = f" --store {plan.store.root}" if plan.recipe.store else ""
    promote = f"python -m adapters promote {version}{store}"
    console.print(
        f"Published {version} after {duration(outcome.seconds)}{speed}; loss "
        f"{outcome.losses[0]:.3f} -> {outcome.losses[-1]:.3f}{held_out}. Plot and card: {version.path}\n"
        f"Serve it:   {promote}\n"
        f"            python -m service --base {plan.recipe.base}{store}\n"
        f'Ask it:     model "{version}", or "{version.name}" once promoted'
    )
