"""A run from its recipe to its version, step by step; the store is written last.

Order matters: what is cheap to check comes first.
"""

from pydantic import JsonValue
from rich.console import Console

from adapters import bases
from adapters.manifest import DataFacts, Draft
from adapters.store import Version
from training import paper, processes, publish
from training.job import Outcome
from training.memory import ON_PAPER
from training.planning import Plan, make_plan, probe_candidates
from training.progress import Watch, duration, tell_finding
from training.recipe import DpoRecipe, RunRecipe
from training.resuming import open_run_dir
from training.stopping import StopRequest

# What a run does not depend on.
NOT_OF_THE_RUN = {
    "adapter", "checkpoint_every_steps", "data_licence", "device", "dry_run", "report_to",
    "resume", "run_dir", "store",
}  # fmt: skip


def run(recipe: RunRecipe, console: Console, stop: StopRequest) -> Version | None:
    """Train an adapter and publish it.

    Args:
        recipe: The settings.
        console: Where people read along.
        stop: Set when somebody asks the run to stop.

    Returns:
        The new version; `None` after a dry run, and in processes that do not write.

    Raises:
        TrainingError: Rows, recipe or machine do not allow the run, it diverged, or was stopped.
        BaseModelError: The base model cannot be used.
        AdapterError: The store or its gate refuses the result.
    """
    if recipe.device in ON_PAPER:
        paper.show(recipe, console)
        return None
    plan = make_plan(recipe)
    # Torch is needed from here on.
    from training import verdict  # noqa: PLC0415

    verdict.show(plan.job, plan.trained, console)
    if recipe.dry_run:
        console.print("Dry run: nothing was trained or written.")
        return None
    settings = run_settings(plan)
    if processes.is_writer():
        open_run_dir(plan.job.run_dir, settings, resume=recipe.resume)
    processes.wait()
    if isinstance(recipe, DpoRecipe) and recipe.rejected_from is not None:
        from training.wrong_answers import with_wrong_answers  # noqa: PLC0415 - as for TRL

        plan = with_wrong_answers(plan, recipe, console)
        settings = run_settings(plan)
    outcome = _train(plan, console, stop)
    if not processes.is_writer():
        return None
    draft = _draft(plan, settings, outcome)
    publish.finish(outcome, recipe.adapter, draft)
    version = plan.store.publish(recipe.adapter, outcome.adapter_dir, draft, base_dir=plan.base_dir)
    _summarise(version, plan, outcome, console)
    return version


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


def _train(plan: Plan, console: Console, stop: StopRequest) -> Outcome:
    # TRL takes several seconds; a dry run does without.
    from training.fitting import train  # noqa: PLC0415

    job = plan.job
    watch = Watch(console, job.step_tokens)
    questions = job.held_out.questions if job.held_out else None
    tell = tell_finding(console, questions.metric if questions else None)
    with watch.showing():
        return train(job, watch, tell, stop)


def _draft(plan: Plan, settings: dict[str, JsonValue], outcome: Outcome) -> Draft:
    from training.hardware import describe  # noqa: PLC0415 - torch, loaded by now

    recipe, sheet = plan.recipe, plan.trained.sheet
    results: dict[str, JsonValue] = {
        "final_loss": round(outcome.losses[-1], 4),
        "tokens_per_s": round(outcome.tokens / outcome.seconds, 1) if outcome.tokens else None,
        "peak_memory_bytes": outcome.peak_memory_bytes,
    }
    if outcome.kept is not None:
        results["held_out_loss"] = round(outcome.kept.loss, 4)
        results["kept_step"] = outcome.kept.step
        results["evaluations"] = [
            {"step": each.step, "loss": round(each.loss, 4), "score": each.score}
            for each in outcome.findings
        ]
    return Draft(
        base=bases.describe(recipe.base, plan.base_dir),
        lora=plan.job.lora,
        prompt=plan.trained.wording.form,
        probes=publish.telling_probes(probe_candidates(recipe, plan.trained), outcome.differing),
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
        f", held out {outcome.kept.loss:.3f} (step {outcome.kept.step})" if outcome.kept else ""
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
