"""The adapter beside its base, as `training.evaluate` shows and records it."""

import asyncio

from pydantic import JsonValue
from rich.console import Console
from rich.table import Table

from adapters.layout import default_root
from adapters.store import Store, Version
from basemodels import resolve
from training import metrics
from training.asking import ask
from training.command import quieten
from training.evaluate import Settings, read_held_out, service_of
from training.measuring import Mean, Measured, mean, measure
from training.rows import Row
from training.tasks import TASKS, TaskName
from training.trained_for import task_of

SHOWN_CHARACTERS = 160


def compare(settings: Settings, console: Console) -> None:
    """Measure a version and its base in this process, show both, and append to the version.

    Raises:
        EvaluationFailed: The rows or metrics cannot be used.
        AdapterError: There is no such version.
        BaseModelError: Its base model cannot be used.
    """
    quieten()
    store = Store(settings.store or default_root())
    version = store.resolve(settings.model)
    task = settings.task or task_of(version)
    sheet = read_held_out(settings.rows, task)
    rows = sheet.rows[: settings.limit_rows]
    names = settings.metric or list(TASKS[task].metrics)
    base_dir = resolve(settings.base or version.manifest.base.id)
    found = measure(version, base_dir, task, rows, names, settings.max_tokens)
    _show(version, found, console)
    _show_samples(rows[: settings.samples], found, console)
    if settings.record:
        results: dict[str, JsonValue] = {
            "task": task,
            "rows": settings.rows.name,
            "rows_sha256": sheet.content_sha256(),
            "asked": len(rows),
            "metrics": {name: each.mean for name, each in found.adapter.items()},
            "adapter": {name: each.model_dump() for name, each in found.adapter.items()},
            "base": {name: each.model_dump() for name, each in found.base.items()},
            "loss_on_quantised_base": found.drift,
        }
        store.record_evaluation(version.name, version.number, results)
        console.print(f"Recorded with {version} in {store.root}")


def score_service(settings: Settings, console: Console, task: TaskName) -> None:
    """Score what a service answers by the metrics of a task; the base too, if it is named.

    Raises:
        EvaluationFailed: The rows, the metrics or the service cannot be used.
        AdapterError: The version that answered is not in the store.
    """
    quieten()
    sheet = read_held_out(settings.rows, task)
    rows = sheet.rows[: settings.limit_rows]
    names = settings.metric or list(TASKS[task].metrics)
    found = {name: metrics.find(name) for name in names}
    results: dict[str, JsonValue] = {"task": task, "rows_sha256": sheet.content_sha256()}
    served_by = ""
    for label, model in (("adapter", settings.model), ("base", settings.base)):
        if model is None:
            continue
        answers = asyncio.run(
            ask(service_of(settings), model, [row.prompt for row in rows], settings.max_tokens)
        )
        served_by = served_by or answers.served_by
        scores = metrics.score(found, answers.programs, rows)
        means = {name: mean(values) for name, values in scores.items()}
        shown = ", ".join(f"{name} {_shown(each)}" for name, each in means.items())
        console.print(f"{answers.served_by}: {shown}")
        results[label] = {name: each.model_dump() for name, each in means.items()}
        if label == "adapter":
            results["metrics"] = {name: each.mean for name, each in means.items()}
    if settings.record and "@" in served_by:
        store = Store(settings.store or default_root())
        version = store.resolve(served_by)
        store.record_evaluation(version.name, version.number, results)


def _show(version: Version, found: Measured, console: Console) -> None:
    table = Table(title=f"{version} and its base, 95 % intervals")
    for heading in ("", "rows", "adapter", "base"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, ours in found.adapter.items():
        table.add_row(name, str(ours.of), _shown(ours), _shown(found.base[name]))
    console.print(table)
    if found.drift is not None:
        console.print(
            f"Loss {found.adapter['loss'].mean:.4f} on the whole base that serves it, "
            f"{found.drift:.4f} on the quantised one it was trained on"
        )


def _shown(value: Mean) -> str:
    return f"{value.mean:.3f} ({value.low:.3f}-{value.high:.3f})"


def _show_samples(rows: list[Row], found: Measured, console: Console) -> None:
    for row, ours, base in zip(rows, found.answers, found.base_answers, strict=False):
        lines = {"asked": row.prompt, "expected": row.output, "adapter": ours, "base": base}
        for label, text in lines.items():
            flat = text.strip().replace("\n", " / ")[:SHOWN_CHARACTERS]
            console.print(f"  {label:9}{flat}", markup=False)
