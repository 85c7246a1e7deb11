"""Every task by its name; a new one is a module of that name and its name here."""

import importlib
from typing import Literal, get_args

from training.tasks.task import Task

TaskName = Literal["continuation", "cot", "evolution", "instruct", "pseudocode", "raw", "verifier"]


def _declared_in(module: str) -> Task:
    task = importlib.import_module(f"training.tasks.{module}").TASK
    if not isinstance(task, Task):
        raise TypeError(f"training.tasks.{module}.TASK is a {type(task).__name__}, expected a Task")
    return task


TASKS: dict[TaskName, Task] = {name: _declared_in(name) for name in get_args(TaskName)}


def table() -> str:
    """The tasks as a Markdown table."""
    lines = ["| task | prompt | an output must | measured by |", "|---|---|---|---|"]
    for name, task in TASKS.items():
        form = task.prompt.replace("\n", "⏎") or "none"
        own = "the base's chat template, else " if task.chat_first else ""
        metrics = ", ".join(f"`{metric}`" for metric in task.metrics)
        lines.append(f"| `{name}` | {own}`{form}` | {task.demands} | {metrics} |")
    return "\n".join(lines)
